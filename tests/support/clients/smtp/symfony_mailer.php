<?php
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
$scheme = getenv('WAY') === 'implicit' ? 'smtps' : 'smtp';
$dsn = sprintf('%s://%s:%s@%s:%s', $scheme, getenv('SMTP_USER'), rawurlencode(getenv('PASSWORD')), getenv('HOST'), getenv('PORT'));
$mailer = new Symfony\Component\Mailer\Mailer(Symfony\Component\Mailer\Transport::fromDsn($dsn));
$mailer->send((new Symfony\Component\Mime\Email())->from(getenv('SENDER'))->to(getenv('RECIPIENT'))
    ->subject(getenv('SUBJECT'))->text(getenv('BODY')));
