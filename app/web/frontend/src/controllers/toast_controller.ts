import { Controller } from "@hotwired/stimulus";

const SHOWN = 10_000;

/** Goes away by itself after ten seconds, but not while the pointer or the focus is on it (U11). */
export default class extends Controller<HTMLElement> {
  private timer = 0;

  override connect(): void {
    this.wait();
  }

  override disconnect(): void {
    window.clearTimeout(this.timer);
  }

  hold(): void {
    window.clearTimeout(this.timer);
  }

  wait(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.element.remove(), SHOWN);
  }
}
