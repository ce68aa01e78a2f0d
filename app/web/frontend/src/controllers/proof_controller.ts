import { Controller } from "@hotwired/stimulus";

const REST = 900; // a proof is made when the writer pauses

/** Shows a form's letter in the frame beside it: at first, when its button is pressed, and after each pause in writing. */
export default class extends Controller<HTMLFormElement> {
  static override targets = ["button"];
  declare readonly buttonTarget: HTMLButtonElement;
  private timer = 0;

  override connect(): void {
    this.timer = window.setTimeout(() => this.show());
  }

  override disconnect(): void {
    window.clearTimeout(this.timer);
  }

  changed(event: Event): void {
    if (event.target instanceof HTMLInputElement && event.target.name === "note") return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.show(), REST);
  }

  private show(): void {
    if (this.element.checkValidity()) this.element.requestSubmit(this.buttonTarget);
  }
}
