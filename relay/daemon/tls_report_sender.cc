#include "relay/daemon/tls_report_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "relay/daemon/gzip.h"
#include "relay/queue/tls_report_mail.h"
#include "relay/store/sqlite_queue_store.h"
#include "relay/store/tls_result_store.h"

namespace waxwing {
namespace {

constexpr Milliseconds kFirstLook{60'000};
constexpr std::uint64_t kSpreadSeconds = 4 * 3'600;
constexpr std::size_t kMaxQueuedReports = 10'000;

std::string day_text(WallTime day) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(day)};
  return fmt::format("{:04}-{:02}-{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()});
}

std::vector<std::string> texts_of(const Answer& answer) {
  std::vector<std::string> texts;
  for (const RecordData& data : answer.records) {
    if (const auto* record = std::get_if<TxtRecord>(&data)) texts.push_back(record->text);
  }
  return texts;
}

std::vector<MailAddress> addresses_of(const TlsReportRecord& record) {
  std::vector<MailAddress> addresses;
  for (const TlsReportUri& uri : record.rua) {
    const auto address = mailto_address(uri);
    if (address && addresses.size() < kMaxTlsReportMails) addresses.push_back(*address);
  }
  return addresses;
}

std::vector<HttpsUri> servers_of(const TlsReportRecord& record) {
  std::vector<HttpsUri> servers;
  for (const TlsReportUri& uri : record.rua) {
    if (uri.scheme != TlsReportUri::Scheme::Https || servers.size() >= kMaxTlsReportPosts) continue;
    if (auto server = parse_https_uri(uri.text)) servers.push_back(std::move(*server));
  }
  return servers;
}

bool is_signed(const QueuedMessage& message) {
  return message.header.starts_with("DKIM-Signature:") || message.header.find("\nDKIM-Signature:") != std::string::npos;
}

}  // namespace

WallTime tls_report_due(WallTime day, std::string_view domain) {
  // FNV-1a: the same after a restart, which std::hash does not promise; nobody gains by choosing it.
  std::uint64_t number = 0xcbf29ce484222325;
  for (const char octet : fmt::format("{} {}", domain, day.time_since_epoch().count())) {
    number = (number ^ static_cast<std::uint8_t>(octet)) * 0x100000001b3;
  }
  return day + std::chrono::days(1) + Seconds(number % kSpreadSeconds);
}

// One report on its way: everything about it, in one place.
struct TlsReportSender::Outgoing {
  Report report;
  std::vector<MailAddress> addresses;
  std::vector<HttpsUri> servers;  // that have not been tried yet
  bool posted = false;            // a server took it
  std::string post_failure;       // of the last one that did not
  TlsReportTally tally;
  TlsReportMail parts;
  std::vector<QueuedMessage> unsealed;
  std::vector<QueuedMessage> sealed;
};

TlsReportSender::TlsReportSender(EventLoop& loop, StoreThread& store, QueueIdSource& ids, EventLog& log,
                                 Options options, Ports ports)
    : loop_(loop),
      store_(store),
      ids_(ids),
      log_(log),
      options_(std::move(options)),
      ports_(std::move(ports)),
      timer_(loop, [this] { look(); }) {}

void TlsReportSender::start() {
  timer_.start(kFirstLook);
}

void TlsReportSender::stop() {
  stopped_ = true;
  timer_.stop();
  due_.clear();
}

void TlsReportSender::send_now(WallTime day, const std::string& domain) {
  if (stopped_ || due_.size() >= kMaxQueuedReports) return;
  due_.push_front({day, domain});
  next();
}

void TlsReportSender::look() {
  timer_.start(kTlsReportInterval);
  const WallTime now = loop_.wall_now();
  auto found = std::make_shared<std::vector<TlsResultStore::Day>>();
  store_.run(
      [found, now](SqliteQueueStore& store) -> Result<void> {
        if (auto removed = store.tls_results().remove_before(now - kTlsReportPatience); !removed) return removed;
        auto days = store.tls_results().list();
        if (!days) return tl::unexpected(days.error());
        *found = std::move(*days);
        return {};
      },
      [this, found, now](const Result<void>& listed) {
        loop_.post([this, found, now, listed] {
          if (!listed) {
            return log_.write(Severity::Error, "tls_results_unreadable", {{"reason", listed.error().detail}});
          }
          if (stopped_ || busy_ || !due_.empty()) return;  // the last look is not through yet
          for (const TlsResultStore::Day& day : *found) {
            if (tls_report_due(day.start, day.domain) <= now) due_.push_back({day.start, day.domain});
          }
          next();
        });
      });
}

void TlsReportSender::next() {
  if (busy_ || stopped_ || due_.empty()) return;
  busy_ = true;
  const Report report = due_.front();
  due_.pop_front();
  ports_.resolve({"_smtp._tls." + report.domain, RecordType::TXT},
                 [this, report](const Answer& answer) { on_record(report, answer); });
}

void TlsReportSender::on_record(const Report& report, const Answer& answer) {
  if (!answer.usable()) return keep(report, "the lookup of its _smtp._tls record failed: " + answer.detail);
  const auto record = select_tls_report_record(texts_of(answer));
  if (!record) return drop(report, record.error().detail);
  compose(report, *record);
}

void TlsReportSender::compose(const Report& report, const TlsReportRecord& record) {
  auto outgoing = std::make_shared<Outgoing>();
  outgoing->report = report;
  outgoing->addresses = addresses_of(record);
  outgoing->servers = servers_of(record);
  if (outgoing->addresses.empty() && outgoing->servers.empty()) {
    return drop(report, "its _smtp._tls record names neither a mail address nor an https address on port 443");
  }
  store_.run(
      [outgoing](SqliteQueueStore& store) -> Result<void> {
        const auto domain = DomainName::parse(outgoing->report.domain);
        if (!domain) return tl::unexpected(domain.error());
        auto tally = store.tls_results().tally(outgoing->report.day, *domain);
        if (!tally) return tl::unexpected(tally.error());
        outgoing->tally = std::move(*tally);
        return {};
      },
      [this, outgoing](const Result<void>& read) {
        loop_.post([this, outgoing, read] { on_composed(outgoing, read); });
      });
}

void TlsReportSender::on_composed(const std::shared_ptr<Outgoing>& outgoing, const Result<void>& read) {
  if (!read) return keep(outgoing->report, read.error().detail);
  if (outgoing->tally.sums().empty()) return done();  // sent meanwhile, on request
  TlsReportMail& parts = outgoing->parts;
  parts.now = loop_.wall_now();
  parts.lifetime = options_.mail_lifetime;
  parts.policy_domain = outgoing->report.domain;
  parts.submitter = options_.hostname;
  parts.frame.organization_name = options_.organization;
  parts.frame.contact_info = options_.contact;
  parts.frame.report_id =
      fmt::format("{}.{}.{}", day_text(outgoing->report.day), outgoing->report.domain, ids_.next(parts.now).str());
  parts.frame.start = outgoing->report.day;
  parts.frame.end = outgoing->report.day + std::chrono::days(1) - Seconds(1);
  auto compressed = gzip(compose_tls_report(parts.frame, outgoing->tally));
  if (!compressed) return keep(outgoing->report, compressed.error().detail);
  parts.compressed = std::move(*compressed);
  for (const MailAddress& address : outgoing->addresses) {
    outgoing->unsealed.push_back(compose_tls_report_mail(parts, address, ids_.next(parts.now)));
  }
  if (!outgoing->unsealed.empty() && outgoing->unsealed.front().body.size() > kMaxInlineBodyOctets) {
    return drop(outgoing->report, "it is too large");
  }
  post(outgoing);
}

// Servers come before mail, since a post that failed can be tried again later only as long as nothing was sent.
void TlsReportSender::post(const std::shared_ptr<Outgoing>& outgoing) {
  if (outgoing->servers.empty()) return seal(outgoing);
  const HttpsUri server = std::move(outgoing->servers.back());
  outgoing->servers.pop_back();
  ports_.post(server, "application/tlsrpt+gzip", outgoing->parts.compressed,
              [this, outgoing, host = server.host](const Result<void>& posted) {
                if (posted) {
                  outgoing->posted = true;
                  log_.write(
                      Severity::Info, "tls_report_posted",
                      {{"domain", outgoing->report.domain}, {"day", day_text(outgoing->report.day)}, {"to", host}});
                } else {
                  outgoing->post_failure = posted.error().detail;
                  log_.write(Severity::Warning, "tls_report_not_posted",
                             {{"domain", outgoing->report.domain}, {"to", host}, {"reason", posted.error().detail}});
                }
                post(outgoing);
              });
}

void TlsReportSender::seal(const std::shared_ptr<Outgoing>& outgoing) {
  if (outgoing->addresses.empty() && !outgoing->posted) return keep(outgoing->report, outgoing->post_failure);
  if (outgoing->unsealed.empty()) return store_mail(outgoing);
  QueuedMessage message = std::move(outgoing->unsealed.back());
  outgoing->unsealed.pop_back();
  ports_.seal(std::move(message), [this, outgoing](QueuedMessage sealed) {
    if (!is_signed(sealed)) {  // RFC 8460 §3: it would be ignored
      return keep(outgoing->report,
                  fmt::format("there is no published key to sign for {}; make one with \"waxwing keys "
                              "create {} SELECTOR\"",
                              options_.hostname, options_.hostname));
    }
    outgoing->sealed.push_back(std::move(sealed));
    seal(outgoing);
  });
}

void TlsReportSender::store_mail(const std::shared_ptr<Outgoing>& outgoing) {
  store_.run(
      [outgoing](SqliteQueueStore& store) -> Result<void> {
        for (const QueuedMessage& message : outgoing->sealed) {
          if (auto added = store.add(message); !added) return added;
        }
        const auto domain = DomainName::parse(outgoing->report.domain);
        if (!domain) return tl::unexpected(domain.error());
        return store.tls_results().remove(outgoing->report.day, *domain);
      },
      [this, outgoing](const Result<void>& stored) {
        loop_.post([this, outgoing, stored] {
          if (!stored) return keep(outgoing->report, stored.error().detail);
          for (const QueuedMessage& message : outgoing->sealed) {
            log_.write(Severity::Info, "tls_report_queued",
                       {{"id", message.id.str()},
                        {"domain", outgoing->report.domain},
                        {"day", day_text(outgoing->report.day)},
                        {"to", message.recipients.front().address.str()}});
            ports_.enqueue(message);
          }
          done();
        });
      });
}

// Nobody wants it.
void TlsReportSender::drop(const Report& report, std::string_view why) {
  log_.write(Severity::Info, "tls_report_dropped",
             {{"domain", report.domain}, {"day", day_text(report.day)}, {"reason", std::string(why)}});
  store_.run(
      [report](SqliteQueueStore& store) -> Result<void> {
        const auto domain = DomainName::parse(report.domain);
        if (!domain) return tl::unexpected(domain.error());
        return store.tls_results().remove(report.day, *domain);
      },
      [](const Result<void>&) {});
  done();
}

// It is tried again at the next look.
void TlsReportSender::keep(const Report& report, std::string_view why) {
  log_.write(Severity::Warning, "tls_report_waits",
             {{"domain", report.domain}, {"day", day_text(report.day)}, {"reason", std::string(why)}});
  done();
}

void TlsReportSender::done() {
  busy_ = false;
  next();
}

}  // namespace waxwing
