import { Controller } from "@hotwired/stimulus";
import { remember } from "../device";

/** Buttons that change how this browser shows the desk: data-device-name-param="theme" data-device-value-param="dark". */
export default class extends Controller<HTMLElement> {
  choose(event: Event & { params: { name: string; value: string } }): void {
    const { name, value } = event.params;
    remember(name, value);
    if (value === "auto") delete document.documentElement.dataset[name];
    else document.documentElement.dataset[name] = value;
    this.element.querySelectorAll<HTMLElement>(`[data-device-name-param="${name}"]`).forEach((button) => {
      button.setAttribute("aria-current", String(button.dataset["deviceValueParam"] === value));
    });
  }
}
