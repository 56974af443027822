package eblocal

// beanstalkActions are the operations of Elastic Beanstalk that are known here.
func (s *Server) beanstalkActions() map[string]action {
	known := map[string]action{
		"AbortEnvironmentUpdate":        s.abortEnvironmentUpdate,
		"CheckDNSAvailability":          s.checkDNSAvailability,
		"CreateApplication":             s.createApplication,
		"CreateApplicationVersion":      s.createApplicationVersion,
		"CreateEnvironment":             s.createEnvironment,
		"CreateStorageLocation":         s.createStorageLocation,
		"DeleteApplication":             s.deleteApplication,
		"DeleteApplicationVersion":      s.deleteApplicationVersion,
		"DescribeAccountAttributes":     s.describeAccountAttributes,
		"DescribeApplicationVersions":   s.describeApplicationVersions,
		"DescribeApplications":          s.describeApplications,
		"DescribeConfigurationSettings": s.describeConfigurationSettings,
		"DescribeEnvironmentHealth":     s.describeEnvironmentHealth,
		"DescribeEnvironmentResources":  s.describeEnvironmentResources,
		"DescribeEnvironments":          s.describeEnvironments,
		"DescribeEvents":                s.describeEvents,
		"DescribeInstancesHealth":       s.describeInstancesHealth,
		"DescribePlatformVersion":       s.describePlatformVersion,
		"ListAvailableSolutionStacks":   s.listAvailableSolutionStacks,
		"ListPlatformVersions":          s.listPlatformVersions,
		"ListTagsForResource":           s.listTagsForResource,
		"RetrieveEnvironmentInfo":       s.retrieveEnvironmentInfo,
		"TerminateEnvironment":          s.terminateEnvironment,
		"UpdateApplication":             s.updateApplication,
		"UpdateApplicationVersion":      s.updateApplicationVersion,
		"UpdateEnvironment":             s.updateEnvironment,
		"UpdateTagsForResource":         s.updateTagsForResource,
		"ValidateConfigurationSettings": s.validateConfigurationSettings,
	}
	for name, act := range known {
		known[name] = s.locked(act)
	}
	// It asks the engine, which takes its time: it takes the lock by itself.
	known["RequestEnvironmentInfo"] = s.requestEnvironmentInfo
	return known
}

func (s *Server) locked(act action) action {
	return func(c *call) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return act(c)
	}
}
