import { Controller } from "@hotwired/stimulus";

/** Sends the filter form on change, without the empty fields, so that the address stays readable. */
export default class extends Controller<HTMLFormElement> {
  submit(): void {
    this.element.requestSubmit();
  }

  /** Bound to the form's submit event. */
  tidy(): void {
    const empty = [...this.element.elements].filter(
      (field): field is HTMLInputElement => "value" in field && "name" in field && field.name !== "" && field.value === "",
    );
    empty.forEach((field) => (field.disabled = true));
    window.setTimeout(() => empty.forEach((field) => (field.disabled = false)));
  }
}
