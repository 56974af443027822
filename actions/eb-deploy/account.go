package ebdeploy

// AccountInputs say as whom the action speaks to AWS.
type AccountInputs struct {
	RoleToAssume string `env:"ROLE-TO-ASSUME"`
	// RegistryAuth hands the logins of the registries to the instances.
	RegistryAuth bool `env:"REGISTRY-AUTH" envDefault:"false"`
}
