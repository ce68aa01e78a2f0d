/** What belongs to this browser and not to the user's account: time zone, theme, density, shortcuts on or off. */

const YEAR = 31_536_000;

export function remember(name: string, value: string): void {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${YEAR}; samesite=lax`;
}

/** The server writes times as this reader's clock shows them. */
export function tellTimeZone(): void {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`zone=${encodeURIComponent(zone)}`)) remember("zone", zone);
}
