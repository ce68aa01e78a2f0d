import { Controller } from "@hotwired/stimulus";

/** Opens the dialog named by data-dialog-id-param; the browser traps focus and gives it back on Esc. */
export default class extends Controller {
  open(event: Event & { params: { id: string } }): void {
    const dialog = document.getElementById(event.params.id);
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  }

  close(event: Event): void {
    (event.currentTarget as HTMLElement).closest("dialog")?.close();
  }

  /** A click on the backdrop lands on the dialog itself. */
  backdrop(event: Event): void {
    if (event.target instanceof HTMLDialogElement) event.target.close();
  }
}
