"""A Postfix into which users log in.

Accounts are in a sasldb of Cyrus SASL, so that SCRAM works as well as PLAIN and LOGIN. The plugins are those of the machine
where they are installed, else unpacked ones.
"""

import os
import pathlib
import subprocess

import debian_unpack
import postfix_world


class PostfixWithAccounts(postfix_world.Postfix):
    """@param accounts    {user: password}
    @param mechanisms  what is offered, with a space between
    @param settings    of main.cf, beside those of SASL
    """

    def __init__(self, folder, name, address, port, identity, accounts, mechanisms, settings):
        self.sasl_tree = debian_unpack.unpack("sasl2-bin")
        super().__init__(folder, name, address, port, [], identity, {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "cyrus",
            "smtpd_sasl_path": "smtpd",
            "smtpd_sasl_local_domain": name,
            "cyrus_sasl_config_path": pathlib.Path(folder) / f"postfix-{name}" / "sasl",
            **settings,
        })
        self._add_accounts(accounts, mechanisms)

    def _plugins(self):
        own = next(self.sasl_tree.root.rglob("sasl2/libsasldb.so"), None)
        return str((own or next(pathlib.Path("/usr/lib").glob("*/sasl2/libsasldb.so"))).parent)

    def _add_accounts(self, accounts, mechanisms):
        sasl = self.folder / "sasl"
        sasl.mkdir()
        database = sasl / "sasldb2"
        (sasl / "smtpd.conf").write_text(f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: {mechanisms}\n"
                                         f"sasldb_path: {database}\n")
        environment = {**self.sasl_tree.environment(), "SASL_PATH": self._plugins()}
        for user, password in accounts.items():
            subprocess.run([self.sasl_tree.program("usr/sbin/saslpasswd2"), "-p", "-c", "-f", str(database), "-u", self.name, user],
                           input=password, text=True, check=True, env=environment, capture_output=True)
        os.chmod(database, 0o644)

    def _write_configuration(self, tls):
        super()._write_configuration(tls)
        text = (self.folder / "main.cf").read_text()
        (self.folder / "main.cf").write_text(text.replace(" LANG=C", f" LANG=C SASL_PATH={self._plugins()}"))
