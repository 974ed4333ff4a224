//go:build race

package p05sysvmq

// crowdClients is what the crowd is made of: five hundred race detectors at once
// would take more memory than most machines have.
const crowdClients = "C"
