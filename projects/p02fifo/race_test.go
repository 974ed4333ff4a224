//go:build race

package p02fifo

// crowdClients is what the crowd is made of: a thousand race detectors at once
// would take more memory than most machines have.
const crowdClients = "C"
