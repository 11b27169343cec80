"""The reduction list read: cells, headings, grades, quantities, enterprises, versions."""
