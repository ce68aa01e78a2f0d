import { Controller } from "@hotwired/stimulus";

/** A customer's HTML is fetched only when somebody unfolds it. */
export default class extends Controller<HTMLDetailsElement> {
  static override targets = ["frame"];
  declare readonly frameTarget: HTMLIFrameElement;

  load(): void {
    const address = this.frameTarget.dataset["src"];
    if (this.element.open && address && !this.frameTarget.src) this.frameTarget.src = address;
  }
}
