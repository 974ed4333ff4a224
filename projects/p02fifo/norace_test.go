//go:build !race

package p02fifo

// crowdClients is what the crowd before the Go server is made of.
const crowdClients = "Go"
