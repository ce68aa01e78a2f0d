import { Controller } from "@hotwired/stimulus";

/** Hovering or focusing an invoice or a reason lights its words in the mail, and the reverse (U24). */
export default class extends Controller<HTMLElement> {
  override connect(): void {
    for (const kind of ["mouseover", "focusin"]) this.element.addEventListener(kind, this.light);
    for (const kind of ["mouseleave", "focusout"]) this.element.addEventListener(kind, this.clear);
  }

  override disconnect(): void {
    for (const kind of ["mouseover", "focusin"]) this.element.removeEventListener(kind, this.light);
    for (const kind of ["mouseleave", "focusout"]) this.element.removeEventListener(kind, this.clear);
  }

  private readonly light = (event: Event): void => {
    const source = (event.target as HTMLElement).closest<HTMLElement>("[data-refs]");
    this.clear();
    if (!source) return;
    for (const ref of (source.dataset["refs"] ?? "").split(" ")) {
      this.element.querySelectorAll(`[data-refs~="${CSS.escape(ref)}"]`).forEach((part) => part.classList.add("is-lit"));
    }
    const marked = source.matches("mark") || this.element.querySelector("mark.is-lit") !== null;
    this.element.classList.toggle("has-lit", marked);
  };

  private readonly clear = (): void => {
    this.element.classList.remove("has-lit");
    this.element.querySelectorAll(".is-lit").forEach((part) => part.classList.remove("is-lit"));
  };
}
