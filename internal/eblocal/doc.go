// Package eblocal is a local Elastic Beanstalk: it answers the query API
// (2010-12-01), S3 and STS on one address and runs what is deployed on a
// container engine. A Server starts with one environment; others come and go by
// its API.
//
// It owns the state of applications and environments (versions, events, option
// settings, bundles), the translation of a source bundle into a Compose project,
// the deployment policies and the life of the instances that run it. Traffic
// enters by each environment's own address, where a proxy stands in the load
// balancer's place.
//
// requests.json is what AWS's service model says of the requests. Faults are the
// ways in which AWS misbehaves; package eblocaltest serves all this to tests
// without an engine.
//
// It is for trying a pipeline and for tests; requests are not authenticated.
package eblocal
