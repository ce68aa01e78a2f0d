"""Understanding a mail: rules where language is closed, then the model."""

from disputes.reading import CaseFacts, MailText, PromiseFound, Span, Understanding

__all__ = ["CaseFacts", "MailText", "PromiseFound", "Span", "Understanding"]
