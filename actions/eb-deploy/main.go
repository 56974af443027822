// Command eb-deploy is the action that deploys a set of images to AWS Elastic
// Beanstalk and tells truly how it went.
package main

import "github.com/guk0/travois/internal/action"

func main() { action.Main(run) }
