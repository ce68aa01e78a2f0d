/**
 * What belongs to the reader survives a refresh: typed text, open folds and menus, selection marks.
 * Turbo asks before each attribute and element it would change.
 */
const CLIENT_OWNED = new Set(["open", "data-selected"]);

export function installMorphGuards(): void {
  document.addEventListener("turbo:before-morph-attribute", (event) => {
    const { attributeName } = (event as CustomEvent<{ attributeName: string }>).detail;
    const element = event.target as HTMLElement;
    if (CLIENT_OWNED.has(attributeName)) event.preventDefault();
    if (attributeName === "value" && element === document.activeElement) event.preventDefault();
  });
  document.addEventListener("turbo:before-morph-element", (event) => {
    const element = event.target as HTMLElement;
    if (holdsWork(element)) event.preventDefault();
  });
}

/** A form somebody is in, an open menu or dialog, a mail frame: replaced only by their own actions. */
function holdsWork(element: HTMLElement): boolean {
  if (element.matches("iframe, details.menu[open], dialog[open]")) return true;
  if (!element.matches("form")) return false;
  const fields = [...element.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")];
  return fields.some((field) => field === document.activeElement || field.value !== field.defaultValue);
}
