import { Controller } from "@hotwired/stimulus";

/** "?": the shortcuts of this page, read from the elements that carry them. */
export default class extends Controller<HTMLElement> {
  static override targets = ["list"];
  declare readonly listTarget: HTMLElement;

  fill(): void {
    const seen = new Map<string, string>();
    for (const element of document.querySelectorAll<HTMLElement>("[data-key]")) {
      const key = element.dataset["key"] ?? "";
      if (element.checkVisibility() && !seen.has(key)) seen.set(key, this.name(element));
    }
    this.listTarget.replaceChildren(...[...seen].map(([key, name]) => this.line(key, name)));
  }

  private name(element: HTMLElement): string {
    if (element.dataset["keyLabel"]) return element.dataset["keyLabel"];
    const copy = element.cloneNode(true) as HTMLElement;
    copy.querySelectorAll("kbd, .count").forEach((part) => part.remove());
    return element.getAttribute("aria-label") ?? copy.textContent?.trim() ?? "";
  }

  private line(key: string, name: string): HTMLElement {
    const line = document.createElement("li");
    const keys = document.createElement("span");
    for (const part of key.replace("mod", "Ctrl").split(" ")) {
      const kbd = document.createElement("kbd");
      kbd.textContent = part;
      keys.append(kbd, " ");
    }
    const words = document.createElement("span");
    words.textContent = name;
    line.append(words, keys);
    return line;
  }
}
