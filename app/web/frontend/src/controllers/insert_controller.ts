import { Controller } from "@hotwired/stimulus";

type Field = HTMLInputElement | HTMLTextAreaElement;

/** Puts words where somebody was writing: data-insert-text-param, into the field that last had the focus. */
export default class extends Controller<HTMLElement> {
  static override targets = ["field"];
  declare readonly fieldTargets: Field[];
  private last: Field | undefined;

  override connect(): void {
    this.element.addEventListener("focusin", this.focused);
  }

  override disconnect(): void {
    this.element.removeEventListener("focusin", this.focused);
  }

  put(event: Event & { params: { text: string } }): void {
    const field = this.last ?? this.fieldTargets.find((one) => one instanceof HTMLTextAreaElement);
    if (!field) return;
    field.focus();
    field.setRangeText(event.params.text, field.selectionStart ?? 0, field.selectionEnd ?? 0, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  private readonly focused = (event: Event): void => {
    const field = event.target as Field;
    if (this.fieldTargets.includes(field)) this.last = field;
  };
}
