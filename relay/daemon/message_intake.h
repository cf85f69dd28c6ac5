#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/utf8.h"
#include "relay/config/config.h"
#include "relay/daemon/chain_sealer.h"
#include "relay/daemon/message_sealer.h"
#include "relay/daemon/submission_limits.h"
#include "relay/delivery/delivery_queue.h"
#include "relay/delivery/first_outcome.h"
#include "relay/observe/event_log.h"
#include "relay/queue/account.h"
#include "relay/queue/queued_message.h"
#include "relay/server/command.h"
#include "relay/server/server_engine.h"
#include "relay/store/queue_reader.h"
#include "relay/store/spool_file.h"
#include "relay/store/store_thread.h"
#include "signer/body_hasher.h"
#include "signer/message_reader.h"
#include "signer/message_verifier.h"
#include "signer/srs.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// What every intake on one event loop works with; outlives them all.
struct IntakeServices {
  EventLoop& loop;
  const Config& config;
  MessageSealer& sealer;
  ChainSealer& chain_sealer;
  const SenderRewriter* rewriter;  ///< nullptr: senders are not rewritten
  StoreThread& store;
  SubmissionLimits& limits;
  QueueReader& reader;
  QueueIdSource& ids;
  EventLog& log;
  /// No value: a message can be taken; else the reply that says why not.
  std::function<std::optional<ServerReply>()> storage_check;
  /// Any thread: the message is durable. @param watcher  of a client that waits for the first outcome; may be empty
  using OnQueued = std::function<void(std::shared_ptr<const QueuedMessage>, DeliveryQueue::Watcher watcher)>;
  OnQueued on_queued;
  std::function<void(QueueId)> stop_watching;  ///< that client has gone
};

/// What a client is told of a message that was taken.
struct Acceptance {
  QueueId id;
  FirstOutcome first{};  ///< Queued, or Delivered where the client waited for that
};

/// One message on its way from DATA to the queue: read in pieces, repaired, checked, sealed, made durable. Large bodies
/// go to their spool file as they come, so that memory stays bounded.
///
/// Reading -> Sealing (preflight, signatures) [-> adding to its chain] -> Storing [-> waiting for its receiver] -> answered
///
/// Mail from elsewhere (a forwarding listener) is neither repaired nor signed as ours: it is judged as its receiver
/// would, says so in Authentication-Results, is sealed, and gets an envelope sender of ours
/// (message_intake_forwarding.cc).
class MessageIntake : public std::enable_shared_from_this<MessageIntake> {
 public:
  /// What the session knows when DATA is accepted.
  struct Submission {
    Envelope envelope;
    Account account;
    std::string helo_name;
    IpAddress peer;           ///< address of the client
    std::string tls_summary;  ///< empty without TLS
    const ListenerConfig& listener;
    std::string_view protocol = "ESMTP";  ///< for the Received field
    bool authenticated = true;            ///< false: its address was enough
    SubmissionKey key{};                  ///< what the client calls the request
  };
  /// Success: durable. Otherwise the reply that refuses, ours or the receiver's.
  using OnAnswer = std::function<void(tl::expected<Acceptance, ServerReply>)>;

  MessageIntake(IntakeServices& services, Submission submission);

  /// Takes content with CRLF line ends, cut anywhere. Once something is wrong, the rest is dropped until finish().
  void feed(std::string_view content);

  /// The content is complete. Calls back exactly once, also when whoever asked is gone: an intake keeps itself alive.
  void finish(OnAnswer on_answer);

  /// Whether finish() waits for the receiver, if there is one answer for all recipients.
  [[nodiscard]] bool waits_for_receiver() const;

  /// Whoever asked has gone: if it was waiting for the receiver, a failure is told by a report instead.
  void abandon();

 private:
  void take_timing(const DeliveryTiming& timing);
  void take_body(std::string_view body);
  void follow_chain(std::string_view body);
  void seal_own();
  void seal_forwarded();
  void add_to_chain(std::string header);
  void on_chain_sealed(Result<ChainSealed> sealed);
  void rewrite_envelope();
  [[nodiscard]] std::optional<ServerReply> judge_forwarded(const ReceivedVerdict& verdict);
  [[nodiscard]] bool forwards() const { return submission_.listener.purpose == ListenerConfig::Purpose::Forwarding; }
  [[nodiscard]] std::string received_field() const;
  [[nodiscard]] TlsRequest tls_request() const;
  void check_header();
  [[nodiscard]] tl::expected<std::string, ServerReply> outgoing_header() const;
  void check_repairs();
  [[nodiscard]] bool body_needs_label() const;
  void on_sealed(Result<Sealed> sealed);
  [[nodiscard]] std::optional<ServerReply> judge(PreflightVerdict::Outcome outcome, const std::string& sentence);
  void store(std::string header);
  void on_stored(const Result<void>& stored);
  void await_receiver(std::shared_ptr<const QueuedMessage> message);
  void on_first_outcome(const FirstOutcome& outcome);
  void refuse(ServerReply reply);
  void answer();

  IntakeServices& services_;
  Submission submission_;
  WallTime received_;
  std::shared_ptr<QueuedMessage> message_;
  MessageReader reader_;
  BodyHasher body_hasher_;
  std::optional<Utf8Validator> body_utf8_;  ///< of a body with 8-bit octets, from the piece on that has the first
  std::string body_hash_;
  bool header_seen_ = false;
  std::shared_ptr<MessageVerifier> verifier_;  ///< from the end of the header on, for mail that gets a set of ARC
  std::optional<SpoolFile> spool_;
  std::optional<DomainName> author_domain_;
  std::string held_because_;  ///< empty: it is to be delivered
  std::string header_;        ///< as submitted, without what must not leave and with what had to be mended
  std::optional<ServerReply> refusal_;
  FirstOutcome first_;
  bool waits_ = false;      ///< whoever asked, for the receiver
  bool abandoned_ = false;  ///< whoever asked has gone
  OnAnswer on_answer_;
};

}  // namespace waxwing
