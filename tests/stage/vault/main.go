// A real Vault server for tests, in memory, with nothing in it but what a sandbox's platform uses.
//
// It prints its address on one line, and ends as soon as its standard input does: a killed test
// leaves no server behind. Where -stay is given, somebody else sees to its end. Initialising,
// unsealing and mounting is left to whoever starts it, through the same API as on any other Vault.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/audit"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/database"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/plugins/database/postgresql"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

const plugin = "postgresql-database-plugin"

// onlyPostgreSQL is a plugin registry that knows one database.
type onlyPostgreSQL struct{}

func (r onlyPostgreSQL) Contains(name string, kind consts.PluginType) bool {
	return name == plugin && kind == consts.PluginTypeDatabase
}

func (r onlyPostgreSQL) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	return postgresql.New, r.Contains(name, kind)
}

func (r onlyPostgreSQL) Keys(kind consts.PluginType) []string {
	if kind == consts.PluginTypeDatabase {
		return []string{plugin}
	}
	return nil
}

func (r onlyPostgreSQL) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}

func (r onlyPostgreSQL) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func main() {
	certificate := flag.String("cert", "", "file with the server's certificate")
	key := flag.String("key", "", "file with its key")
	address := flag.String("listen", "127.0.0.1:0", "address and port; 0 is a free one")
	stay := flag.Bool("stay", false, "outlive the standard input")
	flag.Parse()

	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	check(err)
	logger := hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn})
	store, err := inmem.NewInmem(nil, logger)
	check(err)
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           store,
		Logger:             logger,
		DisableMlock:       true,
		BuiltinRegistry:    onlyPostgreSQL{},
		AuditBackends:      map[string]audit.Factory{"file": audit.NewFileBackend},
		CredentialBackends: map[string]logical.Factory{"approle": approle.Factory, "kubernetes": kubernetes.Factory},
		LogicalBackends:    map[string]logical.Factory{"database": database.Factory},
	})
	check(err)
	listener, err := net.Listen("tcp", *address)
	check(err)
	if !*stay {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	fmt.Printf("https://%s\n", listener.Addr())
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core:           core,
		ListenerConfig: &configutil.Listener{},
	})
	check(http.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}}), handler))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
