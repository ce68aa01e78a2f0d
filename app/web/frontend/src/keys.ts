/** Single-key shortcuts: each clicks a visible element that carries it in data-key ("e", "g i"). */

const WAIT = 1200;
let prefix = "";
let timer = 0;

export function installKeys(): void {
  document.addEventListener("keydown", onKey);
}

/** A box to tick takes no letters, and a field of a dialog that has just closed keeps the focus until the next frame. */
const TAKES_LETTERS = "textarea, select, input:not([type=radio], [type=checkbox], [type=button], [type=submit])";

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement) || !target.checkVisibility()) return false;
  return target.isContentEditable || target.matches(TAKES_LETTERS);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    press("mod k");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") || document.documentElement.dataset["keys"] === "off") return;
  if (press(prefix ? `${prefix} ${event.key}` : event.key)) event.preventDefault();
  else if (startsSequence(event.key)) wait(event.key);
}

function press(key: string): boolean {
  prefix = "";
  const element = find(key);
  element?.click();
  if (element?.matches("input, textarea")) element.focus();
  return element !== undefined;
}

/** Shortcuts of a list belong to its selected row first: there may be one "y" on each. */
function find(key: string): HTMLElement | undefined {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const scope = document.activeElement?.closest("[data-key-scope]") ?? document.querySelector("[data-key-scope].is-selected");
  const near = scope ? visible(scope.querySelectorAll<HTMLElement>(selector)) : undefined;
  return near ?? visible(document.querySelectorAll<HTMLElement>(selector));
}

function visible(elements: NodeListOf<HTMLElement>): HTMLElement | undefined {
  return [...elements].find((element) => element.checkVisibility() && !element.matches("[disabled]"));
}

function startsSequence(key: string): boolean {
  return !prefix && document.querySelector(`[data-key^="${CSS.escape(key)} "]`) !== null;
}

function wait(key: string): void {
  prefix = key;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => (prefix = ""), WAIT);
}
