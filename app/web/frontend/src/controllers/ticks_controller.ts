import { Controller } from "@hotwired/stimulus";

/** Ticked rows: "all" ticks them all, the button says how many and waits for one. */
export default class extends Controller<HTMLElement> {
  static override targets = ["all", "box", "act", "number"];
  declare readonly allTargets: HTMLInputElement[];
  declare readonly boxTargets: HTMLInputElement[];
  declare readonly actTargets: HTMLButtonElement[];
  declare readonly numberTargets: HTMLElement[];

  override connect(): void {
    this.count();
  }

  all(event: Event): void {
    const ticked = (event.currentTarget as HTMLInputElement).checked;
    this.boxTargets.forEach((box) => (box.checked = ticked));
    this.count();
  }

  /** Bound to change as well. */
  count(): void {
    const ticked = this.boxTargets.filter((box) => box.checked).length;
    this.actTargets.forEach((button) => (button.disabled = ticked === 0));
    this.numberTargets.forEach((place) => (place.textContent = ticked ? ` (${ticked})` : ""));
    this.allTargets.forEach((box) => {
      box.checked = ticked > 0 && ticked === this.boxTargets.length;
      box.indeterminate = ticked > 0 && !box.checked;
    });
  }
}
