// Package eblocal is a local Elastic Beanstalk: it answers the query API
// (2010-12-01), S3 and STS on one address and runs what is deployed on a
// container engine, one environment per Server.
//
// It owns the environment's state (versions, events, option settings, bundles),
// the translation of a source bundle into a Compose project, and the life of the
// instances that run it. Traffic enters by the environment's own address, where
// a proxy stands in the load balancer's place.
//
// It is for trying a pipeline and for tests; requests are not authenticated.
package eblocal
