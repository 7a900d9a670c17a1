"""A loaded model with the options of a prediction: what predict, watch, batch and serve share."""
