package eblocal

type quota struct{ Maximum int }

type resourceQuotas struct {
	ApplicationQuota           quota
	ApplicationVersionQuota    quota
	EnvironmentQuota           quota
	ConfigurationTemplateQuota quota
	CustomPlatformQuota        quota
}

// The quotas of what can't be made here are AWS's own.
const (
	templateQuota = 2000
	platformQuota = 50
)

func (s *Server) describeAccountAttributes(*call) (any, error) {
	q := s.opts.Quotas
	return struct {
		ResourceQuotas resourceQuotas
	}{resourceQuotas{quota{q.Applications}, quota{q.Versions}, quota{q.Environments}, quota{templateQuota}, quota{platformQuota}}}, nil
}

func (s *Server) createStorageLocation(*call) (any, error) {
	if err := s.store.ensureBucket(s.bucket()); err != nil {
		return nil, err
	}
	return struct{ S3Bucket string }{s.bucket()}, nil
}
