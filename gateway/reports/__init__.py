"""Documents for people: forms, figures and reports as XLSX, PDF, DOCX, CSV and JSON, all from one model."""
