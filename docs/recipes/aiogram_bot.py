"""aiogram: /call TEXT in Telegram reaches by SMS whoever reads no chat. A worker sends it, once an update.

pip install aiogram '.[cli]'
export DEVINOTIFY_URL=devino://LOGIN:PASSWORD@SENDER/79161234567 DEVINOTIFY_OUTBOX=calls.db
TELEGRAM_TOKEN=123456:ABC TELEGRAM_OPERATORS=1001,1002 python aiogram_bot.py & devinotify worker
"""

import asyncio
import os

from aiogram import Bot, Dispatcher, F
from aiogram.filters import Command, CommandObject
from aiogram.types import Message, Update

from devinotify import AsyncNotifier, DevinotifyError

dispatcher = Dispatcher()
operators = {int(one) for one in os.environ.get("TELEGRAM_OPERATORS", "").split(",") if one}


@dispatcher.message(Command("call"), F.from_user.id.in_(operators))
async def call(message: Message, command: CommandObject, event_update: Update, notifier: AsyncNotifier) -> None:
    """Store the text under the update's number: Telegram delivers an update again until it is confirmed."""
    try:
        stored = await notifier.enqueue(command.args or "", key=f"telegram-{event_update.update_id}")
    except DevinotifyError as error:  # the outbox
        await message.answer(f"Not sent: {error}")
        return
    told = [f"On its way to {len(stored.rows)}."] if stored.rows else []
    told += [f"Not sent: {error}" for error in stored.refused.values()]  # no text, or a wrong number in the URL
    await message.answer("\n".join(told))


async def main() -> None:
    """Run the bot."""
    async with AsyncNotifier(os.environ["DEVINOTIFY_URL"]) as notifier, Bot(os.environ["TELEGRAM_TOKEN"]) as bot:
        await dispatcher.start_polling(bot, notifier=notifier)


if __name__ == "__main__":
    asyncio.run(main())
