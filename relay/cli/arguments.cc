#include "relay/cli/arguments.h"

#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <sstream>

#include "keys/signing_key.h"
#include "relay/config/quantity.h"
#include "relay/queue/quota.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxLimit = 10'000'000;
constexpr unsigned kRsaBitsStep = 128;

const std::map<std::string, KeyAlgorithm> kAlgorithms = {
    {"pair", KeyAlgorithm::Pair}, {"rsa", KeyAlgorithm::Rsa}, {"ed25519", KeyAlgorithm::Ed25519}};

std::string check_rsa_bits(const std::string& text) {
  unsigned bits = 0;
  if (CLI::detail::lexical_cast(text, bits) && bits >= kMinRsaBits && bits <= kMaxRsaBits && bits % kRsaBitsStep == 0) {
    return "";
  }
  return "write a multiple of 128 from 1024 to 4096";
}

/// The tree of commands; what is typed goes into the Arguments.
class CommandTree {
 public:
  explicit CommandTree(Arguments& arguments) : arguments_(arguments), app_("Operates the Waxwing relay.", "waxwing") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "waxwing " WAXWING_VERSION);
    app_.add_option("--config", arguments_.config_path, "Configuration file")->capture_default_str();
    app_.add_flag_callback(
        "--json", [this] { arguments_.format = OutputFormat::Json; }, "Print one JSON object a line");
    add_key_commands();
    add_queue_commands();
    add_watching_commands();
    add_account_commands();
    add_report_commands();
    add_suppression_commands();
    add_egress_commands();
    add_tls_commands();
    add_other_commands();
  }

  CLI::App& app() { return app_; }

  // Commands without subcommands, with their words.
  [[nodiscard]] const std::map<std::string, std::pair<CLI::App*, Command>>& commands() const { return commands_; }

 private:
  CLI::App* add_group(const std::string& name, const std::string& help) {
    CLI::App* group = app_.add_subcommand(name, help);
    group->require_subcommand(1);
    group->fallthrough();
    return group;
  }

  CLI::App* add(CLI::App* group, const std::string& name, Command command, const std::string& help) {
    CLI::App* added = group->add_subcommand(name, help);
    added->fallthrough();  // --config and --json may stand behind the command
    std::string words = name;
    for (const CLI::App* above = group; above != &app_; above = above->get_parent()) {
      words = above->get_name() + " " + words;
    }
    commands_[words] = {added, command};
    return added;
  }

  void add_key_commands() {
    CLI::App* group = add_group("keys", "Signing keys");
    CLI::App* create = add(group, "create", Command::KeysCreate, "Make keys and print the records to publish");
    create->add_option("DOMAIN", arguments_.key.domain, "Domain that signs")->required();
    create->add_option("SELECTOR", arguments_.key.selector,
                       "Selector, never used before, such as s2026a; without, Waxwing names keys and replaces them");
    create->add_flag("--delegate", arguments_.rotation.delegate, "The domain has CNAMEs into rotation.delegation_zone");
    create
        ->add_option("--algorithm", arguments_.key.algorithm,
                     "pair (RSA and, as SELECTOR-ed25519, Ed25519), rsa or ed25519")
        ->transform(CLI::CheckedTransformer(kAlgorithms).description("{pair,rsa,ed25519}"))
        ->default_str("pair");
    create->add_option("--bits", arguments_.key.rsa_bits, "Size of the RSA key")
        ->check(CLI::Validator(check_rsa_bits, "1024..4096"))
        ->capture_default_str();
    add(group, "list", Command::KeysList, "List all keys");
    CLI::App* dns = add(group, "dns", Command::KeysDns, "Print the records of a domain's keys");
    dns->add_option("DOMAIN", arguments_.key.domain, "Domain that signs")->required();
    dns->add_option("SELECTOR", arguments_.key.selector, "Only this key");
    dns->add_option("--format", arguments_.record_format,
                    "zone (the default), nsupdate, octodns, terraform, external-dns or plain")
        ->check(CLI::IsMember({"zone", "nsupdate", "octodns", "terraform", "external-dns", "plain"}));
    add_rotation_commands(group);
    add_custody_commands(group);
  }

  enum class WhichDomain { Required, OrAll };

  CLI::App* add_rotation(CLI::App* group, const std::string& name, Command command, WhichDomain which,
                         const std::string& help) {
    CLI::App* added = add(group, name, command, help);
    CLI::Option* domain =
        added->add_option("DOMAIN", arguments_.rotation.domain,
                          which == WhichDomain::Required ? "Domain that signs"
                                                         : "Domain that signs; without, all that have a life cycle");
    if (which == WhichDomain::Required) domain->required();
    return added;
  }

  void add_wait(CLI::App* command) {
    command->add_flag("--wait", arguments_.rotation.wait, "Wait until all is seen and done, and tell the progress");
    command
        ->add_option_function<unsigned>(
            "--timeout", [this](const unsigned& seconds) { arguments_.rotation.time_limit = Seconds(seconds); },
            "Seconds to wait at most")
        ->default_str("86400");
  }

  void add_rotation_commands(CLI::App* group) {
    add_rotation(group, "show", Command::KeysShow, WhichDomain::Required, "Show a domain's keys and what is to come");
    CLI::App* rotate = add_rotation(group, "rotate", Command::KeysRotate, WhichDomain::OrAll,
                                    "Replace the key that signs; without DOMAIN, do whatever is due for all");
    rotate->add_flag("--now", arguments_.rotation.now, "With the standby, at once");
    CLI::App* publish = add_rotation(group, "publish", Command::KeysPublish, WhichDomain::OrAll,
                                     "Publish what is to be published, look at the DNS, and carry on");
    CLI::App* confirm = add_rotation(group, "confirm", Command::KeysConfirm, WhichDomain::Required,
                                     "Look whether the records that you have published are seen, and carry on");
    add_wait(confirm);
    for (CLI::App* command : {rotate, publish}) {
      command->add_flag("--dry-run", arguments_.rotation.dry_run, "Only tell what would be done");
      add_wait(command);
    }
    add_rotation(group, "check", Command::KeysCheck, WhichDomain::OrAll,
                 "Compare the DNS with the keys; exit status 1 when something is wrong");
    add_rotation(group, "plan", Command::KeysPlan, WhichDomain::OrAll, "Tell what is to come, and when");
    CLI::App* revoke = add_rotation(group, "revoke", Command::KeysRevoke, WhichDomain::Required,
                                    "Take a key out of use at once, and say so in the DNS");
    CLI::App* reveal = add_rotation(group, "reveal", Command::KeysReveal, WhichDomain::Required,
                                    "Have an old private key published in the end, not destroyed");
    for (CLI::App* command : {revoke, reveal}) {
      command->add_option("SELECTOR", arguments_.rotation.selector, "Either selector of the pair")->required();
      command->add_flag("--dry-run", arguments_.rotation.dry_run, "Only tell what would be done");
    }
    add_rotation(group, "log", Command::KeysLog, WhichDomain::Required,
                 "Print the audit log of a domain's keys: who, when, why, and what was seen");
  }

  void add_custody_commands(CLI::App* group) {
    CLI::App* seal = add(group, "seal", Command::KeysSeal, "Seal all keys on disk as keys.sealing says");
    seal->add_option("--former-file", arguments_.former_file, "File of the secret under which they are sealed now");
    CLI::App* take = add(group, "export", Command::KeysExport, "Print a private key as PEM");
    take->add_option("DOMAIN", arguments_.key.domain, "Domain that signs")->required();
    take->add_option("SELECTOR", arguments_.key.selector, "Selector of the key")->required();
    add_dry_run(take);
    add_import_commands(group);
  }

  void add_import_commands(CLI::App* keys) {
    CLI::App* group = keys->add_subcommand("import", "Keys of other programs, under the names that they have");
    group->require_subcommand(1);
    group->fallthrough();
    KeySource& source = arguments_.key_source;
    CLI::App* pem = add(group, "pem", Command::KeysImportPem, "Take over one key from a file");
    pem->add_option("DOMAIN", source.domain, "Domain that signs")->required();
    pem->add_option("SELECTOR", source.selector, "Selector under which it is published")->required();
    pem->add_option("FILE", source.path, "Private key in PEM, or an Ed25519 seed in base64")->required();
    CLI::App* opendkim = add(group, "opendkim", Command::KeysImportOpenDkim, "Take over the keys of OpenDKIM");
    opendkim->add_option("KEYTABLE", source.path, "Its KeyTable")->required();
    opendkim->add_option("--signing-table", source.signing_table, "Its SigningTable; only keys that it uses are taken");
    CLI::App* rspamd = add(group, "rspamd", Command::KeysImportRspamd, "Take over the keys of rspamd");
    rspamd->add_option("--selector-map", source.selector_map, "File of its selector_map");
    rspamd->add_option("--path-map", source.path_map, "File of its path_map");
    rspamd->add_option("--path", source.path, "Its path, with $domain and $selector in it");
    rspamd->add_option("--selector", source.selector, "Selector of domains that the map lacks");
    CLI::App* exim =
        add(group, "exim", Command::KeysImportExim, "Take over a folder of keys named after their domains");
    exim->add_option("FOLDER", source.path, "Where dkim_private_key finds <domain>.pem")->required();
    exim->add_option("--selector", source.selector, "Its dkim_selector")->required();
    for (CLI::App* command : {pem, opendkim, rspamd, exim}) add_dry_run(command);
  }

  void add_dry_run(CLI::App* command) {
    command->add_flag("--dry-run", arguments_.dry_run, "Say what would be done, and change nothing");
  }

  void add_queue_commands() {
    CLI::App* group = add_group("queue", "Messages that wait");
    CLI::App* list = add(group, "list", Command::QueueList, "List recipients that wait, with the reason");
    add_filters(list);
    add_limit(list);
    CLI::App* show =
        add(group, "show", Command::QueueShow, "Show one message with all recipients and their last attempt");
    show->add_option("ID", arguments_.selection.id, "Queue id")->required();
    CLI::App* take = add(group, "export", Command::QueueExport, "Print one message as it would be sent");
    take->add_option("ID", arguments_.selection.id, "Queue id")->required();
    CLI::App* retry = add(group, "retry", Command::QueueRetry, "Try delivery now");
    add_selection(retry, Domains::Offered);
    retry->add_option("--reason", arguments_.reason, "Sentence for the log");
    CLI::App* hold = add(group, "hold", Command::QueueHold, "Keep messages from being sent and from expiring");
    add_selection(hold, Domains::NotOffered);
    hold->add_option("--reason", arguments_.reason, "Sentence for whoever finds them held")->required();
    CLI::App* release =
        add(group, "release", Command::QueueRelease, "Deliver held messages, signed with the keys proven now");
    add_selection(release, Domains::NotOffered);
    release->add_option("--reason", arguments_.reason, "Sentence for the log");
    CLI::App* bounce = add(group, "bounce", Command::QueueBounce, "Return messages to their senders");
    add_selection(bounce, Domains::Offered);
    bounce->add_option("--reason", arguments_.reason, "Sentence for the senders")->required();
    CLI::App* drop = add(group, "drop", Command::QueueDrop, "Remove messages without telling their senders");
    add_selection(drop, Domains::Offered);
    drop->add_option("--reason", arguments_.reason, "Sentence for the log");
    add_limit(add(group, "ids", Command::QueueIds, "Print the ids of all messages that wait"));
    CLI::App* salvage =
        add(group, "salvage", Command::QueueSalvage, "Make a new state directory of what a damaged one still holds");
    salvage->add_option("--state-directory", arguments_.salvage.state_directory, "The damaged one")->required();
    salvage->add_option("--to", arguments_.salvage.target, "The new one, which must not exist")->required();
  }

  void add_watching_commands() {
    CLI::App* group = add_group("audit", "What operators did to the queue");
    CLI::App* list = add(group, "list", Command::AuditList, "List it, newest first");
    add(&app_, "top", Command::Top, "Show what the queue is doing, anew each second on a terminal")
        ->add_flag("--once", arguments_.once, "Once, and no more; as it is where the output is no terminal");
    list->add_option("--limit", arguments_.limit, "At most so many entries, the newest")
        ->check(CLI::Range(std::size_t{1}, kMaxLimit))
        ->capture_default_str();
  }

  enum class Domains { Offered, NotOffered };  // whether single recipients of a message can be meant

  std::vector<CLI::Option*> add_filters(CLI::App* command, Domains domains = Domains::Offered) {
    QueueSelection& selection = arguments_.selection;
    std::vector<CLI::Option*> filters = {
        command->add_option("--account", selection.account, "Only messages of this account"),
        command->add_option("--tenant", selection.tenant, "Only messages of accounts of this tenant"),
        command->add_option("--from", selection.sender, "Only messages with this envelope sender; <> for reports"),
        command->add_option("--saying", selection.saying, "Only recipients whose reason to wait has these words"),
        command->add_option_function<std::string>(
            "--older-than",
            [&selection](const std::string& text) {
              selection.older_than = parse_duration(text);
              if (!selection.older_than) throw CLI::ValidationError("--older-than", "is no time such as 90s, 2h or 3d");
            },
            "Only messages accepted so long ago, such as 2h")};
    if (domains == Domains::Offered)
      filters.push_back(command->add_option("--domain", selection.domain, "Only recipients of this domain"));
    return filters;
  }

  // What changes the queue must say what it changes.
  void add_selection(CLI::App* command, Domains domains) {
    CLI::Option* all = command->add_flag("--all", arguments_.selection.all, "All messages");
    std::vector<CLI::Option*> selectors = add_filters(command, domains);
    selectors.push_back(command->add_option("ID", arguments_.selection.id, "Queue id"));
    for (CLI::Option* other : selectors) all->excludes(other);
    selectors.push_back(all);
    command->add_flag("--dry-run", arguments_.selection.dry_run, "Say what would be done, and change nothing");
    command->callback([selectors] {
      if (std::ranges::any_of(selectors, [](const CLI::Option* option) { return option->count() > 0; })) return;
      throw CLI::RequiredError("ID, --all or one of the filters that --help lists");
    });
  }

  void add_limit(CLI::App* command) {
    command->add_option("--limit", arguments_.limit, "At most so many messages, the oldest")
        ->check(CLI::Range(std::size_t{1}, kMaxLimit))
        ->capture_default_str();
  }

  void add_account_commands() {
    CLI::App* group = add_group("account", "Who may submit");
    CLI::App* create = add(group, "add", Command::AccountAdd, "Add an account");
    create->add_option("NAME", arguments_.account, "Login name")->required();
    create->add_option("--tenant", arguments_.tenant, "Tenant it belongs to; without, one of the same name");
    create
        ->add_option("--sender", arguments_.senders,
                     "Sender it may use: a domain, *.DOMAIN or an address; may be repeated; without, any")
        ->expected(1)
        ->take_all();
    create->add_option("--uid", arguments_.uid, "Local user that needs no password on a unix socket and with sendmail");
    add_certificates(create);
    add_password_file(create);
    CLI::App* passwd = add(group, "passwd", Command::AccountPasswd, "Change the password of an account");
    passwd->add_option("NAME", arguments_.account, "Login name")->required();
    add_password_file(passwd);
    add_password_file(add(group, "hash", Command::AccountHash, "Print what [[account]] keeps of a password"));
    add(group, "list", Command::AccountList, "List all accounts");
    CLI::App* token = add(group, "token", Command::AccountToken, "Make a token for HTTP and print it");
    token->add_option("NAME", arguments_.account, "Login name")->required();
    CLI::App* revoke = add(group, "revoke", Command::AccountRevoke, "Make all tokens of an account worthless");
    revoke->add_option("NAME", arguments_.account, "Login name")->required();
    CLI::App* certificates = add(group, "certificates", Command::AccountCertificates,
                                 "Replace the certificates with which TLS clients log in as an account");
    certificates->add_option("NAME", arguments_.account, "Login name")->required();
    add_certificates(certificates);
    add_quota_commands(group,
                       {Command::AccountShow, Command::AccountLimit, Command::AccountHold, Command::AccountRelease});
    CLI::App* tenants = add_group("tenant", "Accounts that are limited together");
    add(tenants, "add", Command::TenantAdd, "Add a tenant")->add_option("NAME", arguments_.account, "Name")->required();
    add(tenants, "list", Command::TenantList, "List all tenants with their limits");
    add_quota_commands(tenants,
                       {Command::TenantShow, Command::TenantLimit, Command::TenantHold, Command::TenantRelease});
  }

  void add_certificates(CLI::App* command) {
    command
        ->add_option(
            "--certificate", arguments_.certificates,
            "Whose certificate logs in: an address, a host name, or sha256: and that of its public key; may be "
            "repeated")
        ->expected(1)
        ->take_all();
  }

  struct QuotaCommands {
    Command show;
    Command limit;
    Command hold;
    Command release;
  };
  void add_quota_commands(CLI::App* group, const QuotaCommands& commands) {
    CLI::App* show = add(group, "show", commands.show, "Show limits, and what was used in the last 24 hours");
    CLI::App* limit = add(group, "limit", commands.limit, "Change limits, at once; 0 for none");
    CLI::App* hold = add(group, "hold", commands.hold, "Keep what is submitted from now on from being sent");
    CLI::App* release = add(group, "release", commands.release, "Send what is submitted from now on");
    for (CLI::App* command : {show, limit, hold, release})
      command->add_option("NAME", arguments_.account, "Name")->required();
    hold->add_option("--reason", arguments_.reason, "Sentence for whoever finds it held")->required();
    for (std::size_t i = 0; i < kQuotaKinds; ++i) {
      const std::string name(quota_name(static_cast<QuotaKind>(i)));
      std::string option = "--" + name;
      std::replace(option.begin(), option.end(), '_', '-');
      limit
          ->add_option_function<std::uint64_t>(
              option, [this, name](std::uint64_t value) { arguments_.limit_change.limits[name] = value; },
              "Limit of that name")
          ->check(CLI::NonNegativeNumber);
    }
    limit->add_option("--over-limit", arguments_.limit_change.over_limit, "What happens to a message over a limit")
        ->check(CLI::IsMember({"hold", "reject"}));
  }

  void add_report_commands() {
    CLI::App* group =
        add_group("report", "Reports to recipient domains")->add_subcommand("tls", "About TLS (RFC 8460)");
    group->require_subcommand(1);
    group->fallthrough();
    add(group, "list", Command::ReportTlsList, "List days and domains for which TLS sessions were counted");
    CLI::App* send = add(group, "send", Command::ReportTlsSend, "Send the report about a domain now");
    CLI::App* show = add(group, "show", Command::ReportTlsShow, "Print the report about a domain");
    for (CLI::App* command : {send, show}) {
      command->add_option("DOMAIN", arguments_.domain, "Recipient domain")->required();
      command->add_option("--day", arguments_.day, "Day in UTC such as 2026-01-31; without, the last one");
    }
  }

  void add_suppression_commands() {
    SuppressionOrder& order = arguments_.suppression;
    CLI::App* group = add_group("suppression", "Addresses to which nobody of a tenant may submit");
    CLI::App* list = add(group, "list", Command::SuppressionList, "List them, with the reason");
    CLI::App* take = add(group, "export", Command::SuppressionExport, "Print them as import takes them");
    for (CLI::App* command : {list, take}) command->add_option("--tenant", order.tenant, "Only of this tenant");
    CLI::App* create = add(group, "add", Command::SuppressionAdd, "Suppress an address");
    create->add_option("--reason", order.reason, "Sentence for whoever may not send there")->required();
    create->add_option_function<std::string>(
        "--keep-for",
        [&order](const std::string& text) {
          order.keep_for = parse_duration(text);
          if (!order.keep_for) throw CLI::ValidationError("--keep-for", "is no time such as 12h or 90d");
        },
        "How long, such as 90d; without, for good");
    CLI::App* remove = add(group, "remove", Command::SuppressionRemove, "Let mail go to an address again");
    remove->add_option("--reason", order.reason, "Sentence for the log");
    for (CLI::App* command : {create, remove}) {
      command->add_option("TENANT", order.tenant, "Tenant, or account without one")->required();
      command->add_option("ADDRESS", order.address, "Address of a recipient")->required();
    }
    CLI::App* bring =
        add(group, "import", Command::SuppressionImport, "Add what export printed, or addresses, one a line");
    bring->add_option("FILE", order.file, "File; without, standard input");
    bring->add_option("--tenant", order.tenant, "Whose addresses these are, where the line does not say it");
    bring->add_option("--reason", order.reason, "Why, where the line does not say it");
  }

  void add_egress_commands() {
    EgressOrder& order = arguments_.egress;
    CLI::App* group = add_group("egress", "Sources from which mail leaves");
    add(group, "list", Command::EgressList,
        "List sources, pools and rules, what warm-ups used today, and who is paused");
    CLI::App* pause = add(group, "pause", Command::EgressPause, "Let nothing leave from a source for a while");
    CLI::App* resume = add(group, "resume", Command::EgressResume, "End the pauses of a source");
    pause->add_option("--reason", order.reason, "Sentence for who asks why mail waits")->required();
    resume->add_option("--reason", order.reason, "Sentence for the log");
    pause
        ->add_option_function<std::string>(
            "--for",
            [&order](const std::string& text) {
              order.pause_for = parse_duration(text);
              if (!order.pause_for) throw CLI::ValidationError("--for", "is no time such as 2h or 3d");
            },
            "How long, such as 2h")
        ->required();
    for (CLI::App* command : {pause, resume}) {
      command->add_option("SOURCE", order.source, "Name of the source")->required();
      command->add_option("--provider", order.provider,
                          "Only at this provider, the registrable domain of MX hosts such as google.com");
    }
  }

  void add_tls_commands() {
    CLI::App* group = add_group("tls", "What deliveries proved about recipient domains");
    add(group, "list", Command::TlsList, "List domains whose hosts were authenticated by DANE or MTA-STS, and when");
    CLI::App* forget = add(group, "forget", Command::TlsForget, "Let what a domain publishes now be all that counts");
    forget->add_option("DOMAIN", arguments_.domain, "Recipient domain")->required();
  }

  void add_password_file(CLI::App* command) {
    command->add_option("--password-file", arguments_.password_file,
                        "File whose first line is the password; without, it is asked for or read from standard input");
  }

  void add_other_commands() {
    CLI::App* explain =
        add(&app_, "explain", Command::Explain, "Tell what would happen to mail for an address, and why");
    explain->add_option("ADDRESS", arguments_.address, "Address of a recipient")->required();
    explain->add_option("--tenant", arguments_.tenant, "Tenant of the account that would submit; without, none");
    CLI::App* probe = add_group("probe", "Open a session with each MX host of a domain, without any mail");
    CLI::App* smtp = add(probe, "smtp", Command::ProbeSmtp, "Tell what each session proves and offers");
    CLI::App* dane = add(probe, "dane", Command::ProbeDane, "Tell whether DANE protects mail to the domain");
    CLI::App* sts = add(probe, "mta-sts", Command::ProbeMtaSts, "Tell whether MTA-STS protects mail to the domain");
    for (CLI::App* command : {smtp, dane, sts}) {
      command->add_option("DOMAIN", arguments_.probed_domain, "Recipient domain")->required();
    }
    CLI::App* verify =
        add(&app_, "verify", Command::Verify, "Judge a message as a receiver would: DKIM, ARC, SPF, DMARC");
    verify->add_option("FILE", arguments_.message.file, "The message; - for the standard input")->required();
    verify->add_option("--ip", arguments_.message.client, "Address that it came from; without it, SPF is not judged");
    verify->add_option("--helo", arguments_.message.helo, "Name in EHLO; without it, the domain of --mail-from");
    verify->add_option("--mail-from", arguments_.message.mail_from, "Envelope sender; without it, or as <>, null");
    CLI::App* check = add_group("check", "Checks");
    add(check, "config", Command::CheckConfig, "Check the configuration and report every mistake");
    CLI::App* domain = add(check, "domain", Command::CheckDomain,
                           "Check what a domain publishes as receivers would, and print the records to publish");
    domain->add_option("DOMAIN", arguments_.sending_domain, "Domain that sends")->required();
    CLI::App* options = add(add_group("config", "Configuration"), "explain", Command::ConfigExplain,
                            "Tell what options mean, their range and default");
    options->add_option("OPTION", arguments_.option, "Option such as queue.lifetime, or a section; without, all");
  }

  Arguments& arguments_;
  CLI::App app_;
  std::map<std::string, std::pair<CLI::App*, Command>> commands_;
};

}  // namespace

tl::expected<Arguments, ArgumentsExit> parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  CommandTree tree(arguments);
  try {
    tree.app().parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = tree.app().exit(error, out, err);
    return tl::unexpected(ArgumentsExit{status == 0 ? EX_OK : EX_USAGE, out.str(), err.str()});
  }
  for (const auto& [name, command] : tree.commands()) {
    if (command.first->parsed()) arguments.command = command.second;
  }
  return arguments;
}

std::vector<std::string> command_words() {
  Arguments arguments;
  const CommandTree tree(arguments);
  std::vector<std::string> words;
  for (const auto& [name, command] : tree.commands()) words.push_back(name);
  return words;
}

std::vector<std::string> command_options(const std::string& command) {
  Arguments arguments;
  const CommandTree tree(arguments);
  std::vector<std::string> options;
  for (const CLI::Option* option : tree.commands().at(command).first->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name != "help") options.push_back("--" + name);
    }
  }
  return options;
}

}  // namespace waxwing
