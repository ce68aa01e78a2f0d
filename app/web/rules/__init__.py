"""The pages on which leads change how cases are handled: playbooks, routing, service levels, wordings, absences."""
