import { Controller } from "@hotwired/stimulus";
import type { FrameElement } from "@hotwired/turbo";

/** Ctrl-K: the search page's results in a dialog; arrows pick, Enter goes. */
export default class extends Controller<HTMLDialogElement> {
  static override targets = ["input", "frame"];
  declare readonly inputTarget: HTMLInputElement;
  declare readonly frameTarget: FrameElement;
  private timer = 0;

  opened(): void {
    this.inputTarget.select();
    this.ask();
  }

  search(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), 110);
  }

  key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.step(1);
    else if (event.key === "ArrowUp") this.step(-1);
    else if (event.key === "Enter") this.go();
    else return;
    event.preventDefault();
  }

  loaded(): void {
    this.show(this.hits[0]);
  }

  private get hits(): HTMLAnchorElement[] {
    return [...this.frameTarget.querySelectorAll<HTMLAnchorElement>("a.hit")];
  }

  private ask(): void {
    this.frameTarget.src = `/search?q=${encodeURIComponent(this.inputTarget.value.trim())}`;
  }

  private step(by: number): void {
    const hits = this.hits;
    const at = hits.findIndex((hit) => hit.classList.contains("is-picked"));
    this.show(hits[(at + by + hits.length) % hits.length]);
  }

  private show(hit: HTMLElement | undefined): void {
    this.hits.forEach((other) => other.classList.toggle("is-picked", other === hit));
    this.inputTarget.setAttribute("aria-activedescendant", hit?.id ?? "");
    hit?.scrollIntoView({ block: "nearest" });
  }

  private go(): void {
    const hit = this.hits.find((candidate) => candidate.classList.contains("is-picked"));
    if (!hit) return;
    this.element.close();
    hit.click();
  }
}
