import { Controller } from "@hotwired/stimulus";
import { cache, morphElements } from "@hotwired/turbo";

const PAUSE = 350; // a pause in typing
const LONGEST = 800; // somebody who types on and on is saved all the same within a second (U14)
const AGAIN = 3000;

/**
 * The answer being written: saved on the server as it is typed, words to think about marked in it, sent by keys.
 * The server tells how the draft stands (reply/state.html) in answer to each save.
 */
export default class extends Controller<HTMLElement> {
  static override targets = ["form", "text", "mirror", "saved"];
  static override values = { url: String, unsaved: String, saving: String };
  declare readonly formTarget: HTMLFormElement;
  declare readonly textTarget: HTMLTextAreaElement;
  declare readonly mirrorTarget: HTMLElement;
  declare readonly savedTarget: HTMLElement;
  declare readonly urlValue: string;
  declare readonly unsavedValue: string;
  declare readonly savingValue: string;
  private timer = 0;
  private since = 0;
  private saving: Promise<void> | undefined;

  override connect(): void {
    this.mark();
    cache.exemptPageFromCache(); // going back shows the draft as it is, not as it was
    document.addEventListener("visibilitychange", this.hidden);
    window.addEventListener("pagehide", this.leaving);
    window.addEventListener("pageshow", this.back);
    this.dispatch("writing", { detail: { doing: "replying" } });
  }

  override disconnect(): void {
    this.leaving();
    document.removeEventListener("visibilitychange", this.hidden);
    window.removeEventListener("pagehide", this.leaving);
    window.removeEventListener("pageshow", this.back);
    document.dispatchEvent(new CustomEvent("composer:writing", { detail: { doing: "viewing" } }));
  }

  typed(): void {
    this.mark();
    this.since ||= Date.now();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), Math.min(PAUSE, Math.max(0, this.since + LONGEST - Date.now())));
  }

  /** Ctrl+Enter and Ctrl+Shift+Enter click the buttons that show them; Esc leaves the text for the single keys. */
  key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Escape" && event.target instanceof HTMLElement && !event.target.closest("details[open].menu")) event.target.blur();
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.element.querySelector<HTMLElement>(`[data-key="mod ${event.shiftKey ? "Shift " : ""}Enter"]`)?.click();
  }

  /** A save that is under way must not come after the mail is gone. */
  submit(event: SubmitEvent): void {
    const { saving } = this;
    this.forget();
    if (!saving) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void saving.then(() => this.formTarget.requestSubmit(event.submitter));
  }

  forget(): void {
    window.clearTimeout(this.timer);
    this.since = 0;
  }

  /** The case changed somewhere: does it matter here? */
  look(): void {
    if (!this.since) void this.ask(`${this.urlValue}?${this.told("event", "saved", "knowingly")}`);
  }

  /** What was typed here stands, whatever another tab did. */
  insist(event: Event & { params: { saved?: string } }): void {
    this.field("saved").value = event.params.saved ?? "";
    this.typed();
  }

  upload(event: Event): void {
    (event.target as HTMLInputElement).form?.requestSubmit();
  }

  drag(event: DragEvent): void {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  }

  drop(event: DragEvent): void {
    const input = this.element.querySelector<HTMLInputElement>("input[type=file]");
    if (!event.dataTransfer?.files.length || !input) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.form?.requestSubmit();
  }

  private async save(): Promise<void> {
    if (this.saving) await this.saving;
    if (!this.since) return;
    this.since = 0;
    window.clearTimeout(this.timer);
    this.saving = this.ask(this.urlValue, this.told()).finally(() => (this.saving = undefined));
  }

  private async ask(url: string, body?: URLSearchParams): Promise<void> {
    try {
      const method = body ? "POST" : "GET";
      const answer = await fetch(url, { method, body: body ?? null, headers: { accept: "text/html", "x-live": "1" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("reply-state");
      if (!answer.ok || !fresh) throw new Error(answer.statusText);
      this.field("saved").value = fresh.dataset["saved"] ?? "";
      const standing = document.getElementById("reply-state");
      if (standing) morphElements(standing, fresh);
      this.mark();
    } catch {
      if (!body || !this.element.isConnected) return;
      this.savedTarget.textContent = this.unsavedValue;
      this.savedTarget.classList.add("overdue");
      this.since ||= Date.now();
      this.timer = window.setTimeout(() => void this.save(), AGAIN);
    }
  }

  private readonly hidden = (): void => {
    if (document.hidden) void this.save();
  };

  /** The page is left: what is not saved yet goes without waiting for an answer. */
  private readonly leaving = (): void => {
    if (!this.since) return;
    this.forget();
    navigator.sendBeacon(this.urlValue, this.told());
  };

  private readonly back = (event: PageTransitionEvent): void => {
    if (event.persisted) location.reload();
  };

  private told(...names: string[]): URLSearchParams {
    const fields = [...new FormData(this.formTarget)].filter(([name]) => names.length === 0 || names.includes(name));
    return new URLSearchParams(fields.map(([name, value]) => [name, String(value)]));
  }

  private field(name: string): HTMLInputElement {
    return this.formTarget.elements.namedItem(name) as HTMLInputElement;
  }

  /** The mirror below the text gives the field its height and shows what to think about. */
  private mark(): void {
    const text = this.textTarget.value;
    const flagged = [...this.element.querySelectorAll<HTMLElement>("[data-flag]")].map((flag) => flag.dataset["flag"] ?? "");
    const parts: (string | HTMLElement)[] = [];
    let at = 0;
    for (let next = this.nearest(text, flagged, at); next; next = this.nearest(text, flagged, at)) {
      const mark = document.createElement("mark");
      mark.textContent = next.words;
      parts.push(text.slice(at, next.start), mark);
      at = next.start + next.words.length;
    }
    this.mirrorTarget.replaceChildren(...parts, `${text.slice(at)}\n`);
  }

  private nearest(text: string, flagged: string[], from: number): { start: number; words: string } | undefined {
    return flagged
      .map((words) => ({ start: words ? text.indexOf(words, from) : -1, words }))
      .filter(({ start }) => start >= 0)
      .sort((one, other) => one.start - other.start || other.words.length - one.words.length)[0];
  }
}
