import { Controller } from "@hotwired/stimulus";
import { isTyping } from "../keys";

/**
 * A <details> menu: arrows move, a digit or letter shown on an item picks it, Esc and a click outside close.
 * Keys are heard on the document: the second of two quick keys comes before the focus is in the menu.
 */
export default class extends Controller<HTMLDetailsElement> {
  override connect(): void {
    this.element.addEventListener("toggle", this.toggled);
    document.addEventListener("keydown", this.key, { capture: true });
    document.addEventListener("click", this.outside);
  }

  override disconnect(): void {
    this.element.removeEventListener("toggle", this.toggled);
    document.removeEventListener("keydown", this.key, { capture: true });
    document.removeEventListener("click", this.outside);
  }

  private get items(): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>(".menu-panel .menu-item, .menu-panel input")];
  }

  private readonly toggled = (): void => {
    if (!this.element.open) return;
    document.querySelectorAll<HTMLDetailsElement>("details.menu[open]").forEach((other) => {
      if (other !== this.element) other.open = false;
    });
    this.items[0]?.focus();
  };

  private readonly outside = (event: Event): void => {
    if (!this.element.contains(event.target as Node)) this.element.open = false;
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (!this.element.open || event.isComposing) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowDown") this.step(1);
    else if (event.key === "ArrowUp") this.step(-1);
    else if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || !this.pick(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** On AZERTY the digits need Shift: the key's place counts as well as its character. */
  private pick(event: KeyboardEvent): boolean {
    const digit = /^Digit(\d)$/.exec(event.code)?.[1];
    const item = this.items.find((entry) => {
      const pick = entry.dataset["pick"];
      return pick !== undefined && (pick === event.key || pick === digit);
    });
    item?.click();
    return item !== undefined;
  }

  private step(by: number): void {
    const items = this.items;
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + by + items.length) % items.length]?.focus();
  }

  private close(): void {
    this.element.open = false;
    this.element.querySelector<HTMLElement>("summary")?.focus();
  }
}
