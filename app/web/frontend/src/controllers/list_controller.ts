import { Controller } from "@hotwired/stimulus";

const KEY = "amiable-selected";

/** j and k move through the rows by focus: Enter then opens, and a screen reader says where one is. */
export default class extends Controller<HTMLElement> {
  static override targets = ["row"];
  static override values = { base: { type: String, default: "/cases" } };
  declare readonly rowTargets: HTMLElement[];
  declare readonly baseValue: string;

  override connect(): void {
    this.restore();
  }

  /** Also after a live refresh, whose rows come from the server without the mark. */
  restore(): void {
    const [id, at] = (sessionStorage.getItem(KEY + location.pathname) ?? "").split("@");
    const row = this.rowTargets.find((candidate) => candidate.id === id) ?? this.rowTargets[Number(at)];
    if (id && row) this.mark(row);
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

  /** A form beside the list acts on the selected row, the first one when none is: its path is <base>/<id>/<path>. */
  act(event: Event & { params: { path: string } }): void {
    const button = event.currentTarget as HTMLButtonElement;
    if (!this.selected) this.move(1);
    const id = this.selected?.id.split("-").at(-1);
    const form = button.form;
    if (!id || !form) return event.preventDefault();
    form.action = `${this.baseValue}/${id}/${event.params.path}`;
    (form.elements.namedItem("back") as HTMLInputElement).value = location.pathname + location.search;
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
    // The place is kept as well: when the row is gone, the next one has moved up to it.
    sessionStorage.setItem(KEY + location.pathname, `${row.id}@${this.rowTargets.indexOf(row)}`);
  }
}
