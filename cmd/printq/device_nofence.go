//go:build printq_nofence

package main

const unfenced = true
