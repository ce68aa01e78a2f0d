import { Controller } from "@hotwired/stimulus";

/** Opens the dialog named by data-dialog-id-param; the browser traps focus and gives it back on Esc. */
export default class extends Controller {
  static override values = { show: Boolean };
  declare readonly showValue: boolean;

  /** A form that came back refused is open again. */
  override connect(): void {
    if (this.showValue && this.element instanceof HTMLDialogElement && !this.element.open) this.element.showModal();
  }

  /** The page kept for going back has no open dialog. */
  shut(): void {
    if (this.element instanceof HTMLDialogElement) this.element.close();
  }

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
