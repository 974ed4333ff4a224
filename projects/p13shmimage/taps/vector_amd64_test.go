package taps

var hasVector = Vector

func setVector(on bool) { Vector = on }
