//go:build printq_repeats && !printq_nofence

package main

const unfenced = false
