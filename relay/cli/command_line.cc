#include "relay/cli/command_line.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "policy/mail_address.h"
#include "relay/admin/control_client.h"
#include "relay/cli/account_commands.h"
#include "relay/cli/arguments.h"
#include "relay/cli/audit_command.h"
#include "relay/cli/config_commands.h"
#include "relay/cli/domain_command.h"
#include "relay/cli/egress_commands.h"
#include "relay/cli/exit_status.h"
#include "relay/cli/explain_command.h"
#include "relay/cli/key_commands.h"
#include "relay/cli/key_import.h"
#include "relay/cli/password_input.h"
#include "relay/cli/queue_commands.h"
#include "relay/cli/quota_commands.h"
#include "relay/cli/report_commands.h"
#include "relay/cli/rotation_commands.h"
#include "relay/cli/rotation_desk.h"
#include "relay/cli/salvage_command.h"
#include "relay/cli/service_user.h"
#include "relay/cli/suppression_commands.h"
#include "relay/cli/tls_commands.h"
#include "relay/cli/top_command.h"
#include "relay/config/load_config.h"
#include "relay/daemon/check_domain.h"
#include "relay/daemon/explain.h"
#include "relay/observe/escape.h"
#include "relay/signing/key_access.h"

namespace waxwing {
namespace {

WallTime system_time() {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

bool is_probe(Command command) {
  return command == Command::ProbeSmtp || command == Command::ProbeDane || command == Command::ProbeMtaSts;
}

// What would happen to a message, and what a domain publishes, can be told before the relay has run for the first time.
bool needs_no_state(Command command) {
  return command == Command::Explain || is_probe(command) || command == Command::CheckDomain;
}

std::optional<KeySource::Program> program_to_import_from(Command command) {
  switch (command) {
    case Command::KeysImportPem:
      return KeySource::Program::Pem;
    case Command::KeysImportOpenDkim:
      return KeySource::Program::OpenDkim;
    case Command::KeysImportRspamd:
      return KeySource::Program::Rspamd;
    case Command::KeysImportExim:
      return KeySource::Program::Exim;
    default:
      return std::nullopt;
  }
}

bool touches_keys(Command command) {
  return command >= Command::KeysCreate && command <= Command::KeysImportExim;
}

// A local user and who has a certificate need no password; they may have one.
bool needs_password(const Arguments& arguments) {
  const bool without = (arguments.uid || !arguments.certificates.empty()) && arguments.password_file.empty();
  return (arguments.command == Command::AccountAdd && !without) || arguments.command == Command::AccountPasswd ||
         arguments.command == Command::AccountHash;
}

Account new_account(const Arguments& arguments) {
  Account account;
  account.name = arguments.account;
  account.tenant = arguments.tenant;
  account.allowed_senders = arguments.senders;
  account.uid = arguments.uid;
  account.certificates = arguments.certificates;
  return account;
}

Result<void> explain(const Config& config, const std::string& text, const std::string& tenant, Output& output) {
  const auto address = MailAddress::parse(text);
  if (!address) {
    return fail(ErrorKind::Malformed,
                fmt::format("\"{}\" is not a mail address: {}", printable(text), address.error().detail));
  }
  const auto explanation = explain_address(config, *address, tenant);
  if (!explanation) return tl::unexpected(explanation.error());
  print_explanation(*explanation, output);
  return {};
}

// The status of a check that finds something wrong; those of sysexits.h say that a command failed.
constexpr int kFoundWrong = 1;

struct Probe {
  ProbedProtection by;
  std::string_view protection;  // its name
};

Probe probe_of(Command command) {
  if (command == Command::ProbeDane) return {ProbedProtection::Dane, "DANE"};
  if (command == Command::ProbeMtaSts) return {ProbedProtection::Sts, "MTA-STS"};
  return {ProbedProtection::Any, {}};
}

Result<int> run_probe(const Config& config, const std::string& text, Probe probe, Output& output) {
  const auto domain = DomainName::parse(text);
  if (!domain) {
    return fail(ErrorKind::Malformed,
                fmt::format("\"{}\" is not a domain name: {}", printable(text), domain.error().detail));
  }
  const auto found = probe_domain(config, *domain, probe.by);
  if (!found) return tl::unexpected(found.error());
  print_probe(*found, probe.protection, output);
  return found->value("protected", true) ? EX_OK : kFoundWrong;
}

Result<int> check_domain(const Config& config, const std::string& text, Output& output) {
  const auto domain = DomainName::parse(text);
  if (!domain)
    return fail(ErrorKind::Malformed,
                fmt::format("\"{}\" is not a domain: {}", printable(text), domain.error().detail));
  const auto findings = check_domain_now(config, *domain);
  if (!findings) return tl::unexpected(findings.error());
  print_domain_check(*domain, *findings, output);
  return is_in_order(*findings) ? EX_OK : kFoundWrong;
}

Result<int> verify(const Config& config, const MessageToVerify& message, CliStreams streams, Output& output) {
  const auto accepted = verify_file(config, message, streams, output);
  if (!accepted) return tl::unexpected(accepted.error());
  return *accepted ? EX_OK : kFoundWrong;
}

/// One command that works with a configuration.
class CommandRun {
 public:
  CommandRun(const Arguments& arguments, const Config& config, CliStreams streams, Output& output)
      : arguments_(arguments), config_(config), streams_(streams), output_(output) {}

  /// @return  the exit status
  [[nodiscard]] Result<int> run() {
    // Before the change of user: files may be readable by root alone, and nothing of the relay's is touched.
    if (arguments_.command == Command::Verify) return verify(config_, arguments_.message, streams_, output_);
    if (needs_password(arguments_)) {
      auto password = read_password(arguments_.password_file, streams_);
      if (!password) return tl::unexpected(password.error());
      password_ = std::move(*password);
    }
    who_ = operator_name();
    // Ditto: keys of other programs are readable by root and that program alone.
    if (const auto program = program_to_import_from(arguments_.command)) {
      KeySource source = arguments_.key_source;
      source.program = *program;
      auto read = read_key_source(source);
      if (!read) return tl::unexpected(read.error());
      imported_ = std::move(*read);
    }
    // Keys belong to the user that signs, which may be another one than the relay's.
    const auto entered =
        become_owner_of(touches_keys(arguments_.command) ? keys_parent(config_) : config_.state_directory);
    if (!entered && !needs_no_state(arguments_.command)) return tl::unexpected(entered.error());
    if (touches_keys(arguments_.command) && arguments_.command != Command::KeysSeal) return run_keys(who_);
    if (arguments_.command == Command::CheckDomain) return check_domain(config_, arguments_.sending_domain, output_);
    if (is_probe(arguments_.command)) {
      return run_probe(config_, arguments_.probed_domain, probe_of(arguments_.command), output_);
    }
    const auto done = dispatch();
    if (!done) return tl::unexpected(done.error());
    return EX_OK;
  }

 private:
  [[nodiscard]] PasswordUse password_use() const {
    return keeps_scram_keys(config_) ? PasswordUse::HashAndScram : PasswordUse::Hash;
  }

  Result<void> dispatch() {
    switch (arguments_.command) {
      case Command::KeysSeal:
        return seal_keys(config_, arguments_.former_file, output_);
      case Command::Explain:
        return explain(config_, arguments_.address, arguments_.tenant, output_);
      case Command::AccountAdd:
        return add_account(asker(), new_account(arguments_), password_, password_use(), output_);
      case Command::AccountPasswd:
        return change_password(asker(), arguments_.account, password_, password_use(), output_);
      case Command::AccountHash:
        return print_password_hash(password_, output_);
      case Command::AccountList:
        return list_accounts(asker(), output_);
      case Command::AccountToken:
        return add_token(asker(), arguments_.account, output_);
      case Command::AccountRevoke:
        return revoke_tokens(asker(), arguments_.account, output_);
      case Command::AccountCertificates:
        return set_certificates(asker(), arguments_.account, arguments_.certificates, output_);
      case Command::AccountShow:
      case Command::AccountLimit:
      case Command::AccountHold:
      case Command::AccountRelease:
        return run_quota("account");
      case Command::TenantAdd:
        return add_tenant(asker(), arguments_.account, output_);
      case Command::TenantList:
        return list_tenants(asker(), output_);
      case Command::TenantShow:
      case Command::TenantLimit:
      case Command::TenantHold:
      case Command::TenantRelease:
        return run_quota("tenant");
      case Command::ReportTlsList:
        return list_tls_reports(asker(), output_);
      case Command::ReportTlsSend:
        return send_tls_report(asker(), arguments_.domain, arguments_.day, output_);
      case Command::ReportTlsShow:
        return show_tls_report(asker(), arguments_.domain, arguments_.day, config_.tls_report_organization,
                               config_.tls_report_contact, output_);
      case Command::SuppressionList:
        return list_suppressions(asker(), arguments_.suppression, output_);
      case Command::SuppressionAdd:
        return add_suppression(asker(), arguments_.suppression, output_);
      case Command::SuppressionRemove:
        return remove_suppression(asker(), arguments_.suppression, output_);
      case Command::SuppressionImport:
        return import_suppressions(asker(), arguments_.suppression, streams_, output_);
      case Command::SuppressionExport:
        return export_suppressions(asker(), arguments_.suppression, streams_.out);
      case Command::Top:
        return run_top();
      case Command::AuditList:
        return list_audit(asker(), arguments_.limit, output_);
      case Command::EgressList:
        return list_egress(asker(), config_, system_time(), output_);
      case Command::EgressPause:
        return pause_egress(asker(), config_, arguments_.egress, output_);
      case Command::EgressResume:
        return resume_egress(asker(), arguments_.egress, output_);
      case Command::TlsList:
        return list_proven_tls(asker(), output_);
      case Command::TlsForget:
        return forget_proven_tls(asker(), arguments_.domain, output_);
      default:
        return run_queue();
    }
  }

  // A terminal that goes away ends it, and so does an interrupt.
  Result<void> run_top() {
    if (arguments_.once || output_.is_json() || !is_terminal()) return show_top(asker(), output_);
    const auto a_second = [] {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      return true;
    };
    return watch_top(asker(), terminal_size, a_second, streams_);
  }

  Result<void> run_quota(const std::string& owner) {
    switch (arguments_.command) {
      case Command::AccountShow:
      case Command::TenantShow:
        return show_quota(asker(), owner, arguments_.account, output_);
      case Command::AccountLimit:
      case Command::TenantLimit:
        return change_limits(asker(), owner, arguments_.account, arguments_.limit_change, output_);
      case Command::AccountHold:
      case Command::TenantHold:
        return hold_owner(asker(), owner, arguments_.account, arguments_.reason, output_);
      default:
        return release_owner(asker(), owner, arguments_.account, output_);
    }
  }

  Result<int> run_keys(const std::string& who) {
    const auto in_order = at_rotation_desk(config_, who, streams_, output_,
                                           [this](const RotationDesk& desk) { return run_keys_at(desk); });
    if (!in_order) return tl::unexpected(in_order.error());
    return *in_order ? EX_OK : kFoundWrong;
  }

  Result<bool> run_keys_at(const RotationDesk& desk) {
    const RotationOrder& order = arguments_.rotation;
    switch (arguments_.command) {
      case Command::KeysCreate:
        return create(desk);
      case Command::KeysDns:
        return print_records(desk, arguments_.key.domain, arguments_.key.selector, arguments_.record_format);
      case Command::KeysShow:
        return show_keys(desk, order.domain);
      case Command::KeysPublish:
        return carry_on_keys(desk, order, false);
      case Command::KeysConfirm:
        return carry_on_keys(desk, order, true);
      case Command::KeysCheck:
        return check_all_keys(desk, order.domain);
      case Command::KeysPlan:
        return plan_keys(desk, order.domain);
      case Command::KeysRotate:
        return rotate_keys(desk, order);
      case Command::KeysRevoke:
        return revoke_key(desk, order);
      case Command::KeysReveal:
        return reveal_key(desk, order);
      case Command::KeysLog:
        return print_key_log(desk, order.domain);
      case Command::KeysList:
        return list_all_keys(desk);
      default:
        return run_custody(desk.keys);
    }
  }

  Result<bool> create(const RotationDesk& desk) {
    if (arguments_.key.selector.empty()) {
      RotationOrder order = arguments_.rotation;
      order.domain = arguments_.key.domain;
      return begin_keys(desk, order);
    }
    const auto created = create_keys(desk.keys, arguments_.key, system_time(), output_);
    if (!created) return tl::unexpected(created.error());
    return adopt_named_keys(desk, arguments_.key.domain, arguments_.key.selector);
  }

  Result<bool> run_custody(KeyDirectory& keys) {
    const Effect effect = arguments_.dry_run ? Effect::OnlyShown : Effect::Done;
    const auto done = program_to_import_from(arguments_.command)
                          ? import_keys(keys, imported_, effect, output_)
                          : export_key(keys, arguments_.key.domain, arguments_.key.selector, effect, output_);
    if (!done) return tl::unexpected(done.error());
    return true;
  }

  Result<void> run_queue() {
    const QueueSelection& selection = arguments_.selection;
    switch (arguments_.command) {
      case Command::QueueList:
        return list_queue(asker(), selection, arguments_.limit, output_);
      case Command::QueueShow:
        return show_message(asker(), selection.id, output_);
      case Command::QueueExport:
        return export_message(config_.state_directory, selection.id, streams_.out);
      case Command::QueueRetry:
        return retry_messages(asker(), selection, arguments_.reason, output_);
      case Command::QueueBounce:
        return bounce_messages(asker(), selection, arguments_.reason, output_);
      case Command::QueueDrop:
        return drop_messages(asker(), selection, arguments_.reason, output_);
      case Command::QueueHold:
        return hold_messages(asker(), selection, arguments_.reason, output_);
      case Command::QueueRelease:
        return release_messages(asker(), selection, arguments_.reason, output_);
      default:
        return list_queue_ids(asker(), arguments_.limit, output_);
    }
  }

  [[nodiscard]] AskRelay asker() const {
    return [this](nlohmann::json request) {
      request["operator"] = who_;
      return run_admin(config_.run_directory, config_.state_directory, std::move(request));
    };
  }

  const Arguments& arguments_;
  const Config& config_;
  CliStreams streams_;
  Output& output_;
  std::string who_;
  Secret password_;
  std::vector<ImportedKey> imported_;
};

// Writes what was printed; a full disk or a closed pipe is a failure too.
int finish(const Output& output, int status, CliStreams streams) {
  streams.out << output.text() << std::flush;
  if (streams.out.good()) return status;
  streams.err << "waxwing: the answer could not be written to the standard output\n";
  return EX_IOERR;
}

int finish(const Output& output, const Result<int>& status, CliStreams streams) {
  if (status) return finish(output, *status, streams);
  streams.err << "waxwing: " << printable(status.error().detail) << '\n';
  return exit_status(status.error().kind);
}

int report_mistakes(const ConfigMistakes& mistakes, Output& output, CliStreams streams) {
  for (const ConfigMistake& mistake : mistakes) streams.err << mistake.str() << '\n';
  print_config_mistakes(mistakes, output);
  return finish(output, EX_CONFIG, streams);
}

}  // namespace

int run_command_line(const std::vector<std::string>& words, CliStreams streams) {
  const auto arguments = parse_arguments(words);
  if (!arguments) {
    streams.out << arguments.error().out;
    streams.err << arguments.error().err;
    return arguments.error().status;
  }
  Output output(arguments->format);
  if (arguments->command == Command::ConfigExplain) {
    const auto printed = print_option_help(arguments->option, output);
    return finish(output, printed ? Result<int>(EX_OK) : tl::unexpected(printed.error()), streams);
  }
  if (arguments->command == Command::QueueSalvage) {
    const auto whole = salvage_queue(arguments->salvage, output);
    if (!whole) return finish(output, tl::unexpected(whole.error()), streams);
    return finish(output, *whole ? EX_OK : kFoundWrong, streams);
  }
  const auto config = load_config(arguments->config_path);
  if (!config) return report_mistakes(config.error(), output, streams);
  if (arguments->command == Command::CheckConfig) {
    print_config_in_order(arguments->config_path, *config, output);
    return finish(output, EX_OK, streams);
  }
  return finish(output, CommandRun(*arguments, *config, streams, output).run(), streams);
}

}  // namespace waxwing
