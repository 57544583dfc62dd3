package main

import (
	"context"
	"fmt"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql" // registers postgres12
	"go.temporal.io/server/tools/common/schema"
	"go.temporal.io/server/tools/sql"
)

// schemas names the schema of each database, among those that the server's module carries.
var schemas = map[string]string{
	"temporal":            "postgresql/v12/temporal",
	"temporal_visibility": "postgresql/v12/visibility",
}

// readOnly leaves the running role what it needs of the schema's version: to read it. Default privileges gave it more.
const readOnly = `DO $$
DECLARE
  name text;
BEGIN
  FOR name IN
    SELECT DISTINCT acl.grantee::regrole::text FROM pg_class, aclexplode(relacl) AS acl
    WHERE oid = 'schema_version'::regclass AND acl.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('REVOKE ALL ON schema_version FROM %s', name);
    EXECUTE format('GRANT SELECT ON schema_version TO %s', name);
  END LOOP;
END
$$`

// migrate brings both databases to the schema that this server needs, with the tasks of Temporal's SQL tool. It can be cut off
// anywhere and run again.
func migrate(ctx context.Context) error {
	at, err := address("TEMPORAL_DATABASE_HOST", "TEMPORAL_DATABASE_PORT")
	if err != nil {
		return err
	}
	for database, name := range schemas {
		password, err := secret(database + "_owner_password")
		if err != nil {
			return err
		}
		connection := &config.SQL{
			PluginName: "postgres12", ConnectProtocol: "tcp", ConnectAddr: at,
			DatabaseName: database, User: database + "_owner", Password: password, MaxConns: 1,
		}
		if err := until(ctx, "database "+database, func(context.Context) error { return migrateOne(connection, name) }); err != nil {
			return err
		}
		fmt.Printf("database %s has the schema\n", database)
	}
	return nil
}

func migrateOne(connection *config.SQL, name string) error {
	logger := log.NewNoopLogger()
	database, err := sql.NewConnection(connection, logger)
	if err != nil {
		return err
	}
	defer database.Close()
	setup := &schema.SetupConfig{InitialVersion: "0.0"}
	if err := schema.NewSetupSchemaTask(database, setup, logger).Run(); err != nil {
		return err
	}
	if err := schema.NewUpdateSchemaTask(database, &schema.UpdateConfig{SchemaName: name}, logger).Run(); err != nil {
		return err
	}
	return database.Exec(readOnly)
}
