import { Controller } from "@hotwired/stimulus";

const BEAT = 20_000;

/** Says that this person is at the case, and shows who else is (U17). One element a case, kept while the page changes. */
export default class extends Controller<HTMLElement> {
  static override values = { url: String, case: Number };
  declare readonly urlValue: string;
  declare readonly caseValue: number;
  private doing = "viewing";
  private timer = 0;

  override connect(): void {
    this.doing = document.querySelector("[data-controller~=composer]") ? "replying" : "viewing";
    this.beat();
    this.timer = window.setInterval(() => this.beat(), BEAT);
    document.addEventListener("visibilitychange", this.shown);
    window.addEventListener("pagehide", this.gone);
  }

  override disconnect(): void {
    window.clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.shown);
    window.removeEventListener("pagehide", this.gone);
    // A page of the same case takes this element over: only who does not come back is gone.
    window.setTimeout(() => this.element.isConnected || this.gone(), 500);
  }

  /** The composer was opened or closed. */
  tell(event: CustomEvent<{ doing: string }>): void {
    if (this.doing === event.detail.doing) return;
    this.doing = event.detail.doing;
    this.beat();
  }

  /** Somebody came, went or began to write, here or elsewhere. */
  heard(event: CustomEvent<number[]>): void {
    if (event.detail.includes(this.caseValue)) void this.show();
  }

  private beat(): void {
    if (!document.hidden) void this.show(new URLSearchParams({ doing: this.doing }));
  }

  private async show(body?: URLSearchParams): Promise<void> {
    const headers = { accept: "text/html", "x-live": "1" };
    const answer = await fetch(this.urlValue, { method: body ? "POST" : "GET", body: body ?? null, headers }).catch(() => undefined);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of [this.element.id, "presence-lines"]) {
      document.getElementById(id)?.replaceChildren(...(fresh.getElementById(id)?.childNodes ?? []));
    }
  }

  private readonly shown = (): void => {
    if (!document.hidden) this.beat();
  };

  private readonly gone = (): void => {
    navigator.sendBeacon(this.urlValue, new URLSearchParams({ doing: "gone" }));
  };
}
