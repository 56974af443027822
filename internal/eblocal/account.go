package eblocal

type quota struct{ Maximum int }

type resourceQuotas struct {
	ApplicationQuota           quota
	ApplicationVersionQuota    quota
	EnvironmentQuota           quota
	ConfigurationTemplateQuota quota
	CustomPlatformQuota        quota
}

// describeAccountAttributes names AWS's default quotas.
func (s *Server) describeAccountAttributes(*call) (any, error) {
	return struct {
		ResourceQuotas resourceQuotas
	}{resourceQuotas{quota{75}, quota{1000}, quota{200}, quota{2000}, quota{50}}}, nil
}

func (s *Server) createStorageLocation(*call) (any, error) {
	if err := s.store.ensureBucket(s.bucket()); err != nil {
		return nil, err
	}
	return struct{ S3Bucket string }{s.bucket()}, nil
}
