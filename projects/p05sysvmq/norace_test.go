//go:build !race

package p05sysvmq

// crowdClients is what the crowd before the Go server is made of.
const crowdClients = "Go"
