"""Registration and resampling of the series of a study to one grid."""
