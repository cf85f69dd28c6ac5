#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "policy/lookup.h"
#include "policy/tls_report.h"
#include "policy/tls_report_record.h"
#include "relay/observe/event_log.h"
#include "relay/queue/queued_message.h"
#include "relay/store/store_thread.h"
#include "transport/http/https_uri.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {

/// Sends what was counted about TLS to the domains that ask for it: once for each domain and UTC day, at a time of its
/// own within the four hours after the day, by HTTPS and as signed mail through the ordinary queue, as the domain wishes.
/// The results stay in the store until their mail is in the queue, in the same transaction, or until an HTTPS server
/// took the report where there is no mail address. Lives on one event loop; one report is under way at a time.
///
/// Waiting -> { list -> record of the domain -> results -> posts -> mail, signed -> stored }... -> Waiting
/// @source  RFC 8460 §3, §4.1 and §5.3
class TlsReportSender {
 public:
  struct Options {
    std::string hostname;      ///< signs mail
    std::string organization;  ///< names the reporter
    std::string contact;       ///< address of who answers for it
    Seconds mail_lifetime{0};  ///< of a report in the queue
  };
  struct Ports {
    /// Looks something up; calls back once on the loop's thread.
    std::function<void(const Question&, std::function<void(const Answer&)>)> resolve;
    /// Submits by HTTPS; calls back once on the loop's thread.
    std::function<void(const HttpsUri&, const std::string& content_type, std::string content,
                       std::function<void(Result<void>)>)>
        post;
    /// Signs a mail; calls back once on the loop's thread with the header to use, the old one if it cannot be signed.
    std::function<void(QueuedMessage, std::function<void(QueuedMessage)>)> seal;
    /// Takes over a mail that has become durable.
    std::function<void(const QueuedMessage&)> enqueue;
  };

  TlsReportSender(EventLoop& loop, StoreThread& store, QueueIdSource& ids, EventLog& log, Options options, Ports ports);

  /// Begins to look for reports that are due, every kTlsReportInterval.
  void start();

  /// Sends the report about one domain and day now, whether the day is over or not.
  void send_now(WallTime day, const std::string& domain);

  /// Begins no more reports.
  void stop();

 private:
  struct Report {
    WallTime day;
    std::string domain;
  };
  struct Outgoing;

  void look();
  void next();
  void on_record(const Report& report, const Answer& answer);
  void compose(const Report& report, const TlsReportRecord& record);
  void on_composed(const std::shared_ptr<Outgoing>& outgoing, const Result<void>& read);
  void post(const std::shared_ptr<Outgoing>& outgoing);
  void seal(const std::shared_ptr<Outgoing>& outgoing);
  void store_mail(const std::shared_ptr<Outgoing>& outgoing);
  void drop(const Report& report, std::string_view why);
  void keep(const Report& report, std::string_view why);
  void done();

  EventLoop& loop_;
  StoreThread& store_;
  QueueIdSource& ids_;
  EventLog& log_;
  const Options options_;
  const Ports ports_;
  Timer timer_;
  std::deque<Report> due_;
  bool busy_ = false;
  bool stopped_ = false;
};

/// When the report about a domain is due: up to four hours after the end of its day, so that not all reports of all
/// relays arrive at midnight.
/// @source  RFC 8460 §4.1
[[nodiscard]] WallTime tls_report_due(WallTime day, std::string_view domain);

inline constexpr Milliseconds kTlsReportInterval{900'000};
inline constexpr Seconds kTlsReportPatience{3 * 86'400};  ///< results that could not be sent for so long are dropped
inline constexpr std::size_t kMaxTlsReportMails = 4;      ///< addresses of one domain that get its report
inline constexpr std::size_t kMaxTlsReportPosts = 4;      ///< and HTTPS servers

}  // namespace waxwing
