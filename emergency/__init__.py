"""Heavy-pollution-weather emergency response, from the forecast to the signed review."""
