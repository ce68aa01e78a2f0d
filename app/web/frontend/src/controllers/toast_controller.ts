import { Controller } from "@hotwired/stimulus";

const SHOWN = 10_000;
const LEAST = 1_500;

/** Goes away by itself after ten seconds, but not while the pointer or the focus is on it (U11), nor on other pages. */
export default class extends Controller<HTMLElement> {
  private timer = 0;
  private until: number | undefined;
  private used = false;

  override connect(): void {
    this.wait();
    document.addEventListener("turbo:before-render", this.follow);
    this.element.addEventListener("submit", this.use);
  }

  override disconnect(): void {
    window.clearTimeout(this.timer);
    document.removeEventListener("turbo:before-render", this.follow);
  }

  /** What can still be undone goes with the reader to the next page, below what that page has to tell. */
  private readonly follow = (event: Event): void => {
    const { newBody } = (event as CustomEvent<{ newBody: HTMLElement }>).detail;
    if (this.element.querySelector("form") && !this.used) newBody.querySelector("#toasts")?.append(this.element);
  };

  private readonly use = (): void => {
    this.used = true;
  };

  hold(): void {
    window.clearTimeout(this.timer);
  }

  wait(): void {
    window.clearTimeout(this.timer);
    const until = (this.until ??= Date.now() + SHOWN);
    this.timer = window.setTimeout(() => this.element.remove(), Math.max(until - Date.now(), LEAST));
  }
}
