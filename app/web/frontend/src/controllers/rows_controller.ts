import { Controller } from "@hotwired/stimulus";

/**
 * A form whose rows are added, moved and taken away. Rows are sent in the order of the page; one taken away has its
 * fieldset disabled, so that its fields are not sent, and can be kept after all until the form is sent.
 */
export default class extends Controller<HTMLFormElement> {
  static override targets = ["list", "row", "blank", "effect"];
  static override values = { moved: String, removed: String, leave: String, dirty: Boolean };
  declare readonly listTarget: HTMLElement;
  declare readonly rowTargets: HTMLElement[];
  declare readonly blankTarget: HTMLTemplateElement;
  declare readonly effectTargets: HTMLElement[];
  declare readonly movedValue: string;
  declare readonly removedValue: string;
  declare readonly leaveValue: string;
  declare dirtyValue: boolean;

  override connect(): void {
    window.addEventListener("beforeunload", this.unloading);
    document.addEventListener("turbo:before-visit", this.visiting);
    this.element.addEventListener("submit", this.sent);
  }

  override disconnect(): void {
    window.removeEventListener("beforeunload", this.unloading);
    document.removeEventListener("turbo:before-visit", this.visiting);
    this.element.removeEventListener("submit", this.sent);
  }

  add(): void {
    const holder = document.createElement("template");
    holder.innerHTML = this.blankTarget.innerHTML.replaceAll("__row__", `n${Date.now().toString(36)}`);
    const row = holder.content.firstElementChild;
    if (!(row instanceof HTMLElement)) return;
    this.listTarget.append(row);
    row.classList.add("is-edited");
    row.querySelectorAll("details").forEach((fold) => (fold.open = fold.parentElement === row));
    row.querySelector<HTMLElement>("select, input:not([type=hidden])")?.focus();
    row.scrollIntoView({ block: "nearest" });
    this.stale();
  }

  up(event: Event): void {
    this.move(event, -1);
  }

  down(event: Event): void {
    this.move(event, 1);
  }

  remove(event: Event): void {
    this.keepOrNot(event, true);
    this.say(this.removedValue);
  }

  keep(event: Event): void {
    this.keepOrNot(event, false);
  }

  /** Bound to input: what was typed is marked, and an effect shown before is not the effect any more. */
  touched(event: Event): void {
    const field = event.target as HTMLInputElement;
    this.dirtyValue = true;
    if (field.name === "note") return;
    this.rowOf(event)?.classList.add("is-edited");
    this.stale();
  }

  private move(event: Event, by: number): void {
    const row = this.rowOf(event);
    const button = event.currentTarget as HTMLElement;
    const rows = this.rowTargets;
    const other = row && rows[rows.indexOf(row) + by];
    if (!row || !other) return;
    if (by < 0) other.before(row);
    else other.after(row);
    row.classList.add("is-edited");
    button.focus();
    this.say(this.movedValue.replace("#", String(this.rowTargets.indexOf(row) + 1)));
    this.stale();
  }

  private keepOrNot(event: Event, removed: boolean): void {
    const row = this.rowOf(event);
    if (!row) return;
    row.classList.toggle("is-removed", removed);
    row.querySelectorAll<HTMLFieldSetElement>(":scope > details > fieldset").forEach((part) => (part.disabled = removed));
    const fold = row.querySelector("details");
    if (fold && removed) fold.open = false;
    const name = removed ? "keep" : "remove";
    row.querySelector<HTMLElement>(`[data-action="rows#${name}"]`)?.focus();
    this.stale();
  }

  private rowOf(event: Event): HTMLElement | undefined {
    return this.rowTargets.find((row) => row.contains(event.target as Node));
  }

  private stale(): void {
    this.dirtyValue = true;
    this.effectTargets.forEach((effect) => effect.classList.add("is-stale"));
  }

  /** What is typed is not lost by a click beside it. */
  private readonly unloading = (event: BeforeUnloadEvent): void => {
    if (this.dirtyValue) event.preventDefault();
  };

  private readonly visiting = (event: Event): void => {
    if (this.dirtyValue && !window.confirm(this.leaveValue)) event.preventDefault();
  };

  private readonly sent = (): void => {
    this.dirtyValue = false;
  };

  /** Told to screen readers in the page's own polite region. */
  private say(words: string): void {
    const place = document.getElementById("toasts");
    if (!place) return;
    const told = document.createElement("span");
    told.className = "sr";
    told.textContent = words;
    place.append(told);
    window.setTimeout(() => told.remove(), 4000);
  }
}
