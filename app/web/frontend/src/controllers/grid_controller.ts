import { Controller } from "@hotwired/stimulus";

/** A table of fields that is typed through: Enter and the arrows go down and up in a column, Ctrl Enter saves. */
export default class extends Controller<HTMLFormElement> {
  static override targets = ["cell"];
  declare readonly cellTargets: HTMLInputElement[];

  move(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.element.requestSubmit();
      return;
    }
    const field = event.target as HTMLInputElement;
    const by = { ArrowDown: 1, Enter: 1, ArrowUp: -1 }[event.key];
    if (!by || !this.cellTargets.includes(field)) return;
    event.preventDefault();
    const column = this.cellTargets.filter((cell) => cell.dataset["column"] === field.dataset["column"]);
    const next = column[column.indexOf(field) + by];
    next?.focus();
    next?.select();
  }
}
