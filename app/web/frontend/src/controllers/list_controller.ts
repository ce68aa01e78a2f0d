import { Controller } from "@hotwired/stimulus";

const KEY = "amiable-selected";

/** j and k move through the rows by focus: Enter then opens, and a screen reader says where one is. */
export default class extends Controller<HTMLElement> {
  static override targets = ["row"];
  declare readonly rowTargets: HTMLElement[];

  override connect(): void {
    const id = sessionStorage.getItem(KEY + location.pathname);
    const row = this.rowTargets.find((candidate) => candidate.id === id);
    if (row) this.mark(row);
  }

  next(): void {
    this.move(1);
  }

  previous(): void {
    this.move(-1);
  }

  open(): void {
    this.selected?.click();
  }

  /** Bound to focusin, so that Tab and the mouse select as well. */
  select(event: Event): void {
    const row = this.rowTargets.find((candidate) => candidate.contains(event.target as Node));
    if (row) this.mark(row);
  }

  private get selected(): HTMLElement | undefined {
    return this.rowTargets.find((row) => row.classList.contains("is-selected"));
  }

  private move(step: number): void {
    const rows = this.rowTargets;
    const at = this.selected ? rows.indexOf(this.selected) : step > 0 ? -1 : rows.length;
    const row = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
    if (!row) return;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    this.mark(row);
  }

  private mark(row: HTMLElement): void {
    this.rowTargets.forEach((other) => other.classList.toggle("is-selected", other === row));
    sessionStorage.setItem(KEY + location.pathname, row.id);
  }
}
