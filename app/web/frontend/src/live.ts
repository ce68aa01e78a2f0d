/**
 * Live updates. One tab holds the stream for all tabs (a browser opens six connections to a host, the seventh tab would
 * hang) and passes on the ids of changed cases; each tab then fetches its own page again and takes over the parts
 * marked data-live, so that filters and permissions hold. Focus, scroll and typed text stay as they are.
 */
import { morphElements } from "@hotwired/turbo";

interface Change {
  last: number;
  cases: number[];
}
interface Presence {
  cases: number[];
}

const QUIET = 700; // changes that come together are shown together
const POLL = 15_000;
const POLL_PRESENCE = 2500;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("amiable-live") : undefined;
let last = 0;
let timer = 0;
let waiting = false;

export function installLive(): void {
  if (!document.querySelector("[data-live-source]")) {
    document.addEventListener("turbo:load", () => installLive(), { once: true });
    return;
  }
  if (channel) channel.onmessage = (message: MessageEvent<Change | Presence>) => take(message.data);
  document.addEventListener("visibilitychange", () => document.hidden || (waiting && refreshSoon()));
  if (navigator.locks && channel) void navigator.locks.request("amiable-live", () => lead());
  else {
    window.setInterval(() => void poll(), POLL);
    window.setInterval(() => take({ cases: [Number(shownCase())] }), POLL_PRESENCE);
  }
}

/** Changes have an event they go up to; who is at a case has none. */
function take(told: Change | Presence): void {
  if ("last" in told) hear(told);
  else document.dispatchEvent(new CustomEvent("live:presence", { detail: told.cases }));
}

/** Hold the lock, and the stream, until this tab goes away. */
function lead(): Promise<never> {
  const stream = new EventSource("/live");
  for (const kind of ["changes", "presence"]) {
    stream.addEventListener(kind, (event: MessageEvent<string>) => {
      const told = JSON.parse(event.data) as Change | Presence;
      channel?.postMessage(told);
      take(told);
    });
  }
  return new Promise(() => undefined);
}

async function poll(): Promise<void> {
  const answer = await fetch(`/live/changes?after=${last}`, { headers: { accept: "application/json" } });
  if (answer.ok) hear((await answer.json()) as Change);
}

function hear(change: Change): void {
  last = Math.max(last, change.last);
  if (change.cases.length > 0 && concerns(change.cases)) refreshSoon();
}

/** A page about one case names it in data-live-case; lists and counts listen to all. */
function concerns(cases: number[]): boolean {
  const only = shownCase();
  return only === undefined || cases.includes(Number(only));
}

function shownCase(): string | undefined {
  return document.querySelector<HTMLElement>("[data-live-case]")?.dataset["liveCase"];
}

function refreshSoon(): void {
  waiting = true;
  if (document.hidden) return;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void refresh(), QUIET + Math.random() * QUIET);
}

async function refresh(): Promise<void> {
  waiting = false;
  const url = location.href;
  const answer = await fetch(url, { headers: { accept: "text/html", "x-live": "1" } });
  if (!answer.ok || answer.redirected || url !== location.href) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next) morphElements(part, next);
  }
  document.dispatchEvent(new CustomEvent("live:refreshed"));
}
